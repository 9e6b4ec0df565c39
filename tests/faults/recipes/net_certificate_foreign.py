"""A certificate of an authority that nobody here knows."""

import trustme

from tests.faults.families.server import Certified
from tests.faults.recipe import DOWN, Expect


class Fault(Certified):
    expect = Expect(DOWN, "from an issuer that is not trusted")

    def bad_certificate(self) -> trustme.LeafCert:
        return trustme.CA().issue_cert("127.0.0.1")
