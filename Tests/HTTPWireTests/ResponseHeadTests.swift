import HTTPWire
import Testing

@Suite("Response heads")
struct ResponseHeadTests {
    private func parse(_ octets: some Sequence<UInt8>, limit: Int) -> HeadResult {
        Array(octets).withUnsafeBytes {
            ResponseHead().parse($0.bytes, isHead: false, limit: limit, fieldLimit: 100)
        }
    }

    @Test("A head beyond its limit is refused whether it comes whole or in pieces")
    func limit() {
        let octets = Array("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 100))\r\n\r\n".utf8)
        #expect(parse(octets, limit: octets.count) == .complete)
        #expect(parse(octets, limit: octets.count - 1) == .invalid(.headTooLarge))
        #expect(parse(octets.dropLast(), limit: octets.count - 1) == .invalid(.headTooLarge))
        #expect(parse(octets.dropLast(), limit: octets.count) == .incomplete)
    }
}
