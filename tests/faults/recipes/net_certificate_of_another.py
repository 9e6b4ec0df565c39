"""A good certificate of somebody else."""

import trustme

from tests.faults.families.server import Certified, authority
from tests.faults.recipe import DOWN, Expect


class Fault(Certified):
    expect = Expect(DOWN, "is for other.example, not 127.0.0.1")

    def bad_certificate(self) -> trustme.LeafCert:
        return authority().issue_cert("other.example")
