"""A certificate of days to come."""

from datetime import UTC, datetime, timedelta

import trustme

from tests.faults.families.server import Certified, authority
from tests.faults.recipe import DOWN, Expect


class Fault(Certified):
    expect = Expect(DOWN, "is not valid before")

    def bad_certificate(self) -> trustme.LeafCert:
        return authority().issue_cert("127.0.0.1", not_before=datetime.now(UTC) + timedelta(days=100))
