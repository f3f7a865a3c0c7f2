import Model
import StreamWire
import Testing

@Suite struct ProxyHeaderTests {
    private static let v4 = SocketAddress(IPAddress(v4: 0xc000_0201), port: 5353)
    private static let v4Local = SocketAddress(IPAddress(v4: 0x7f00_0001), port: 53)
    private static let v6 = SocketAddress(IPAddress(v6: 0x2001_0db8_0000_0000, 1), port: 65_535)
    private static let v6Local = SocketAddress(IPAddress(v6: 0, 1), port: 53)

    @Test(arguments: [(v4, v4Local), (v6, v6Local)], [true, false])
    func whatIsWrittenIsRead(_ addresses: (SocketAddress, SocketAddress), _ isDatagram: Bool) {
        let header = ProxyHeader.encode(source: addresses.0, destination: addresses.1, isDatagram: isDatagram)
        let bytes = header + [1, 2, 3]
        #expect(
            ProxyHeader(bytes.span.bytes)
                == .proxied(source: addresses.0, destination: addresses.1, length: header.count))
        for count in 0..<header.count {
            #expect(ProxyHeader(Array(header[..<count]).span.bytes) == .incomplete, "\(count) octets")
        }
    }

    @Test func additionsAreSkipped() {
        var header = ProxyHeader.encode(source: Self.v4, destination: Self.v4Local, isDatagram: true)
        header[15] += 7
        header += [0x04, 0, 4, 1, 2, 3, 4]
        #expect(
            ProxyHeader(header.span.bytes)
                == .proxied(source: Self.v4, destination: Self.v4Local, length: header.count))
    }

    @Test func theProxyMaySpeakForItself() {
        var header = ProxyHeader.encode(source: Self.v4, destination: Self.v4Local, isDatagram: false)
        header[12] = 0x20
        #expect(ProxyHeader(header.span.bytes) == .local(length: 28))
        header[12] = 0x21
        header[13] = 0x00
        #expect(ProxyHeader(header.span.bytes) == .local(length: 28))
        header[13] = 0x31
        #expect(ProxyHeader(header.span.bytes) == .local(length: 28), "a UNIX socket")
    }

    @Test(arguments: [(0, UInt8(0)), (11, 0x0b), (12, 0x11), (12, 0x22), (15, 11), (14, 0xff)])
    func othersAreMalformed(_ index: Int, _ value: UInt8) {
        var header = ProxyHeader.encode(source: Self.v4, destination: Self.v4Local, isDatagram: false)
        header[index] = value
        #expect(ProxyHeader(header.span.bytes) == .malformed)
        #expect(ProxyHeader(Array("PROXY TCP4 ".utf8).span.bytes) == .malformed)
    }
}
