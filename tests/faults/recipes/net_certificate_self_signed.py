"""A certificate that vouches for itself."""

import trustme

from tests.faults.families.server import Certified, authority
from tests.faults.recipe import DOWN, Expect


class Fault(Certified):
    expect = Expect(DOWN, "self-signed and not trusted here")

    def bad_certificate(self) -> trustme.LeafCert:
        return authority().issue_cert("127.0.0.1")  # it shows none that anybody issued

    def inject(self) -> None:
        lonely = trustme.CA()
        path = self.folder / "lonely.pem"
        path.write_bytes(lonely.private_key_pem.bytes() + lonely.cert_pem.bytes())
        self.load(path)
