"""A certificate that ran out."""

from datetime import UTC, datetime, timedelta

import trustme

from tests.faults.families.server import Certified, authority
from tests.faults.recipe import DOWN, Expect


class Fault(Certified):
    expect = Expect(DOWN, "expired on 2021-01-02")

    def bad_certificate(self) -> trustme.LeafCert:
        past = datetime(2021, 1, 2, tzinfo=UTC)
        return authority().issue_cert("127.0.0.1", not_before=past - timedelta(days=9), not_after=past)
