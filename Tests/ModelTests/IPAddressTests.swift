import Model
import Testing

@Suite("IP addresses and prefixes")
struct IPAddressTests {
    @Test(
        "Text that is an address reads back in canonical form",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("::ffff:10.0.0.1", "::ffff:a00:1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ])
    func reads(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "Text that is no address is refused",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.-4", ":", ":::", "1:2:3:4:5:6:7", "1::2::3",
            "1:2:3:4:5:6:7:8:9", "g::", "12345::", "1.2.3.4::", "::1.2.3.4.5", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
        ])
    func refuses(text: String) { #expect(IPAddress(text) == nil) }

    @Test("IPv4 inside IPv6 is canonicalised")
    func mapped() { #expect(IPAddress("::ffff:192.0.2.1")?.canonical == IPAddress("192.0.2.1")) }

    @Test("A prefix contains its addresses and refuses host bits")
    func prefixes() throws {
        let prefix = try #require(IPPrefix("10.1.0.0/16"))
        #expect(try prefix.contains(#require(IPAddress("10.1.255.255"))))
        #expect(try !prefix.contains(#require(IPAddress("10.2.0.0"))))
        #expect(IPPrefix("10.1.0.1/16") == nil)
        #expect(IPPrefix("10.0.0.0/33") == nil)
        #expect(IPPrefix("10.0.0.0/+8") == nil)
        #expect(IPPrefix("10.0.0.0/0008") == nil)
        #expect(IPPrefix("2001:db8::/32")?.description == "2001:db8::/32")
        #expect(try #require(IPPrefix("0.0.0.0/0")).contains(#require(IPAddress("255.0.0.1"))))
    }

    @Test("A socket address needs its port, and brackets around IPv6")
    func socketAddresses() {
        #expect(SocketAddress("127.0.0.1:80")?.description == "127.0.0.1:80")
        #expect(SocketAddress("[::1]:80")?.description == "[::1]:80")
        #expect(SocketAddress("::1:80") == nil)
        #expect(SocketAddress("127.0.0.1") == nil)
        #expect(SocketAddress("127.0.0.1:65536") == nil)
    }
}
