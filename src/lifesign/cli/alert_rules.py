"""Alert rules for Prometheus over what `/metrics` tells: printed by `lifesign init --prometheus`."""

ALERT_RULES = """\
groups:
  - name: lifesign
    rules:
      - alert: LifesignComponentDown
        expr: lifesign_component_state{state="down"} == 1
        labels:
          severity: critical
        annotations:
          summary: "{{ $labels.component }} does not work"
      - alert: LifesignComponentUnknown
        expr: lifesign_component_state{state="unknown"} == 1
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: "nobody can tell whether {{ $labels.component }} works"
      - alert: LifesignWorkNearlyStale
        expr: lifesign_staleness_seconds > 0.8 * lifesign_stale_after_seconds
        for: 1m
        labels:
          severity: warning
        annotations:
          summary: "{{ $labels.component }} has finished no work for {{ $value | humanizeDuration }}"
      - alert: LifesignRestartsInVain
        expr: lifesign_restart_unproductive > 0
        labels:
          severity: warning
        annotations:
          summary: "{{ $value }} restarts of {{ $labels.component }} brought no work back"
      - alert: LifesignStalled
        expr: lifesign_last_round_age_seconds > 5 or lifesign_overdue_checks > 0
        for: 1m
        labels:
          severity: critical
        annotations:
          summary: "lifesign itself does not keep up"
      - alert: LifesignAlertsStuck
        expr: lifesign_outbox_oldest_age_seconds > 900
        labels:
          severity: warning
        annotations:
          summary: "alerts of lifesign have not arrived for {{ $value | humanizeDuration }}"
      - alert: LifesignGone
        expr: absent(lifesign_uptime_seconds)
        for: 1m
        labels:
          severity: critical
        annotations:
          summary: "lifesign is not scraped: nobody watches"
"""
