import ControlPlane
import DNSWire
import Engine
import Model
import Testing

@testable import DNSTier

@Suite("The access log of queries")
struct QueryLogTests {
    private let world: SteeredServer
    private let worker: Worker
    private let ring = LogRing()
    private let client = SocketAddress(IPAddress(v6: 0x2001_0db8_0000_0000, 1), port: 4000)

    init() throws {
        world = try SteeredServer()
        worker = try Worker(index: 0, counters: CounterBlock(count: QueryCounter.allCases.count))
    }

    /// The line that `query` leaves, without its end, and the octets of its reply.
    private func line(
        _ query: [UInt8], _ format: LogSettings.Format, over transport: Responder.Transport = .udp
    ) -> (String, Int) {
        let record = AccessRecord(ring, LogSettings(format: format), of: world.preparation.node)
        let log = QueryLog(record: record, sampler: nil, worker: worker)
        let reply = world.server.reply(query, from: client.address.description, over: transport)
        reply.withUnsafeBytes { unsafe log.note($0, to: query.count, from: client, over: transport) }
        let text = String(decoding: ring.take(), as: UTF8.self)
        #expect(text.filter { $0 == "\n" }.count == 1 && text.hasSuffix("\n"))
        return (String(text.dropLast()), reply.count)
    }

    @Test("A record says who asked what, over what, and what came of it", arguments: [LogSettings.Format.json, .text])
    func record(format: LogSettings.Format) throws {
        let query = try QueryText("static.shop.test.", .a).octets
        let (line, size) = line(query, format)
        guard format == .json else {
            let (time, rest) = (line.prefix(29), line.dropFirst(29))
            #expect(time.hasPrefix("time=20") && time.hasSuffix("Z"))
            #expect(
                rest
                    == " tier=dns node=dns-1 client=[2001:db8::1]:4000 transport=udp name=static.shop.test. type=A code=NOERROR"
                    + " bytes_in=\(query.count) bytes_out=\(size)")
            return
        }
        let value = try #require(StatusValue(json: Array(line.utf8)))
        #expect(
            Set(value.object.keys) == [
                "time", "tier", "node", "client", "transport", "name", "type", "code", "bytes_in", "bytes_out",
            ])
        #expect(value["time"].string?.count == 24)
        #expect(value["client"] == "[2001:db8::1]:4000" && value["transport"] == "udp" && value["type"] == "A")
        #expect(value["bytes_in"].int == Int64(query.count) && value["bytes_out"].int == Int64(size))
    }

    @Test("Names of any octets are one field of one line", arguments: [LogSettings.Format.json, .text])
    func hostileNames(format: LogSettings.Format) throws {
        for octet in UInt8.min...UInt8.max {
            var query = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] as [UInt8]
            // Three labels of 63 and one of 61: 255 octets.
            for length in [63, 63, 63, 61] { query += [UInt8(length)] + [UInt8](repeating: octet, count: length) }
            query += [0, 0, 1, 0, 1]
            let (line, _) = line(query, format, over: .tcp)
            #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
            #expect(line.contains("transport") && !line.contains("…"))
            if format == .json {
                let value = try #require(StatusValue(json: Array(line.utf8)))
                let name = try Name(try #require(value["name"].string))
                // Names are compared without case, and read back from their text.
                let label = try #require(Name(wire: Array(query[12..<267])))
                #expect(name == label)
            }
        }
    }

    @Test func aMessageWithoutAQuestionHasNoName() throws {
        let (line, _) = line([0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .text)
        #expect(line.contains(" transport=udp code=FORMERR bytes_in=12 bytes_out=12"))
    }
}
