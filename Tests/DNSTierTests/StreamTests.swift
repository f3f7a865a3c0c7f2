import ControlPlane
import DNSTier
import DNSWire
import Foundation
import Glibc
import Model
import StreamWire
import TestKit
import Testing
import Topology

/// A server on loopback: TCP as clients use and misuse it, and clients behind a proxy.
@Suite(.serialized) struct StreamTests {
    private static let address = IPAddress(v4: 0x7f00_4f01)
    private static let direct = SocketAddress(address, port: 5454)
    private static let proxied = SocketAddress(address, port: 5455)

    private static let zone = """
        $TTL 60
        @ SOA ns h 1 2 3 4 5
        @ NS ns
        ns A 192.0.2.53
        www A 192.0.2.1
        big TXT "\(String(repeating: "x", count: 250))" "\(String(repeating: "y", count: 250))"
        big TXT "\(String(repeating: "z", count: 250))" "\(String(repeating: "w", count: 250))"
        """

    /// Runs a server with one worker and these lines under `dns`.
    private func serve(_ lines: String, _ body: (Server) throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dns-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(Self.zone.utf8).write(to: folder.appendingPathComponent("shop.test.zone"))
        let text = """
            regions: {here: {address: \(Self.address)}}
            nodes: {dns-1: {tier: dns, region: here, workers: 1}}
            dns:
              port: 5454
              zones: {shop.test: {file: shop.test.zone, names: {geo: {
                answers: {here: {A: 192.0.2.7}}, steps: [{geo: {prefixes: {203.0.113.0/24: [here]}}}]}}}}
            \(lines.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
            """
        let path = folder.appendingPathComponent("topology.yaml").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let snapshot = try TopologyLoader.load(path: path)
        let server = Server()
        try server.start(
            try server.prepare(snapshot, node: #require(snapshot.node(named: "dns-1"))), health: HealthBoard())
        do {
            try body(server)
        } catch {
            Issue.record("\(error)")
        }
        await server.stop(deadline: .milliseconds(100))
        await server.end()
    }

    private func framed(_ query: [UInt8]) -> [UInt8] { [UInt8(query.count >> 8), UInt8(query.count & 0xff)] + query }

    private func query(_ name: String, _ type: RecordType, id: UInt16 = 1, edns: QueryText.EDNS? = nil) throws
        -> [UInt8]
    {
        var octets = try QueryText(name, type, edns: edns).octets
        octets[0] = UInt8(id >> 8)
        octets[1] = UInt8(id & 0xff)
        return octets
    }

    private func reply(_ client: RawClient) throws -> Message {
        let head = try client.read(count: 2)
        let octets = try client.read(count: Int(head[0]) << 8 | Int(head[1]))
        return try Message(octets.span.bytes)
    }

    /// Whether the server has closed: the end comes, or a reset.
    private func isClosed(_ client: RawClient) -> Bool {
        do { return try client.readToEnd().isEmpty } catch { return "\(error)".contains("104") }
    }

    private func isUnanswered(_ bytes: [UInt8], at address: SocketAddress) -> Bool {
        guard let client = try? Datagram(to: address) else { return true }
        return (try? client.ask(bytes)) == nil
    }

    private func counter(_ server: Server, _ name: String) -> Int {
        var text = MetricsText()
        server.metrics(into: &text)
        let line = text.rendered.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { Int(Double($0.split(separator: " ")[1]) ?? -1) } ?? -1
    }

    @Test(.timeLimit(.minutes(1))) func manyQueriesAtOnceAreAllAnswered() async throws {
        try await serve("") { _ in
            let client = try RawClient(Self.direct)
            var stream: [UInt8] = []
            for id in UInt16(0)..<2000 {
                stream += framed(
                    try query(id % 3 == 0 ? "big.shop.test." : "www.shop.test.", id % 3 == 0 ? .txt : .a, id: id))
            }
            // Cut anywhere, also inside lengths and headers.
            var random = SeededGenerator(seed: 3)
            var position = 0
            var received: Set<UInt16> = []
            var sent = 0
            while position < stream.count {
                let count = min(stream.count - position, Int.random(in: 1...900, using: &random))
                try client.send(Array(stream[position..<(position + count)]))
                position += count
                // Read now and then, so that neither side's buffers fill for good.
                while sent < position / 40 && received.count < 1900 {
                    received.insert(try reply(client).id)
                    sent += 1
                    if received.count * 40 > position { break }
                }
            }
            while received.count < 2000 { received.insert(try reply(client).id) }
            #expect(received == Set(0..<2000))
        }
    }

    @Test(.timeLimit(.minutes(1))) func keepaliveIsToldAndIdleConnectionsEnd() async throws {
        try await serve("tcp: {idle: 1s, message: 300ms}") { server in
            let client = try RawClient(Self.direct)
            try client.send(framed(try query("www.shop.test.", .a, edns: .init(options: [(11, [])]))))
            #expect(try reply(client).option?.data.wire == [0, 11, 0, 2, 0, 10], "1 second, in units of 100 ms")
            #expect(isClosed(client))
            // A slow sender: each octet comes in time, the query does not.
            let slow = try RawClient(Self.direct)
            let bytes = framed(try query("www.shop.test.", .a))
            let start = ContinuousClock.now
            for octet in bytes {
                guard (try? slow.send([octet])) != nil else { break }
                usleep(50_000)
            }
            #expect(isClosed(slow))
            #expect(ContinuousClock.now - start < .seconds(4), "30 octets at 20 a second were not waited for")
            #expect(counter(server, "meridian_dns_connections_timed_out_total") == 2)
        }
    }

    /// One connection after the other, alone on its worker, with times that the next wait does not see.
    @Test(.timeLimit(.minutes(1)), arguments: ["idle", "message", "proxy header"])
    func aSilentConnectionEnds(_ kind: String) async throws {
        try await serve("tcp: {idle: 3s, message: 3s}\nproxy: {port: 5455, from: [127.0.0.0/8]}") { server in
            let client = try RawClient(kind == "proxy header" ? Self.proxied : Self.direct, timeout: 20)
            if kind == "message" { try client.send(Array(framed(try query("www.shop.test.", .a))[..<9])) }
            let silence = client.outwait()
            #expect(silence.ending != .never && silence.seconds > 2.9, "\(silence)")
            #expect(counter(server, "meridian_dns_connections_timed_out_total") == 1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func whoDoesNotReadIsLeft() async throws {
        try await serve("tcp: {idle: 60s, message: 500ms}") { server in
            let client = try RawClient(Self.direct)
            let one = framed(try query("big.shop.test.", .txt))
            let block = Array(repeating: one, count: 400).flatMap(\.self)
            for _ in 0..<200 { guard (try? client.send(block)) != nil else { break } }
            // Some megabytes of answers wait in the kernel, and at most 128 KiB in the server, until it gives up.
            var turns = 0
            while counter(server, "meridian_dns_connections_timed_out_total") < 1, turns < 300 {
                usleep(20_000)
                turns += 1
            }
            #expect(counter(server, "meridian_dns_connections_timed_out_total") == 1)
            // The worker counts first and closes then.
            while counter(server, "meridian_dns_connections_waiting") > 0, turns < 300 {
                usleep(20_000)
                turns += 1
            }
            #expect(counter(server, "meridian_dns_connections_waiting") == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func connectionsAreLimitedAltogetherAndBySource() async throws {
        try await serve("tcp: {connections: 10, perSource: 6}") { server in
            var clients = try (0..<6).map { _ in try RawClient(Self.direct) }
            for client in clients {
                try client.send(framed(try query("www.shop.test.", .a)))
                #expect(try reply(client).answer.count == 1)
            }
            let more = try RawClient(Self.direct)
            #expect(isClosed(more))
            #expect(counter(server, "meridian_dns_source_refused_total") == 1)
            clients.removeAll()
            // Places that become free are there for others.
            var turns = 0
            while turns < 100 {
                usleep(10_000)
                turns += 1
                let client = try RawClient(Self.direct)
                try? client.send(framed(try query("www.shop.test.", .a)))
                if (try? reply(client)) != nil { break }
            }
            #expect(turns < 100)
        }
    }

    /// 10,000 connections where the limit on descriptors allows it.
    @Test(.timeLimit(.minutes(2))) func tenThousandIdleConnectionsAreCheap() async throws {
        var files = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(resource, &files)
        files.rlim_cur = min(files.rlim_max, 21_000)
        setrlimit(resource, &files)
        getrlimit(resource, &files)
        let count = min(10_000, (Int(files.rlim_cur) - 200) / 2)
        try await serve("tcp: {idle: 60s, perSource: 20000}") { server in
            let before = try residentMemory()
            var clients: [RawClient] = []
            let bytes = framed(try query("www.shop.test.", .a))
            for _ in 0..<count {
                let client = try RawClient(Self.direct)
                try client.send(bytes)
                _ = try reply(client)
                clients.append(client)
            }
            let grown = (try residentMemory() - before) / count
            print("\(count) idle connections: \(grown) octets each, both ends")
            // A buffer of 16 KiB for each would show.
            #expect(grown < 4096)
            #expect(counter(server, "meridian_dns_connections_total") == count)
            // And the last of them is served as the first.
            for client in [clients[0], clients[count - 1]] {
                try client.send(bytes)
                #expect(try reply(client).answer.count == 1)
            }
        }
    }

    private func residentMemory() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }

    // MARK: Behind a proxy

    @Test(.timeLimit(.minutes(1))) func aProxySaysWhoAsks() async throws {
        try await serve("proxy: {port: 5455, from: [127.0.0.0/8]}") { server in
            let source = SocketAddress(IPAddress(v4: 0xcb00_7109), port: 999)
            let header = ProxyHeader.encode(source: source, destination: Self.proxied, isDatagram: false)
            let edns = QueryText.EDNS(options: [(10, [1, 2, 3, 4, 5, 6, 7, 8])])
            let bytes = try query("geo.shop.test.", .a, edns: edns)

            let client = try RawClient(Self.proxied)
            try client.send(Array(header[..<9]))
            usleep(20_000)
            try client.send(Array(header[9...]) + framed(bytes) + framed(bytes))
            let first = try reply(client)
            let second = try reply(client)
            #expect(first.answer.count == 1 && second.answer == first.answer)

            let datagram = try Datagram(to: Self.proxied)
            let overOctets = try datagram.ask(header + bytes)
            let over = try Message(overOctets.span.bytes)
            // The cookie is made for the client, whichever way it came.
            #expect(over.option?.data.wire == first.option?.data.wire && over.answer.count == 1)
            let straight = try Datagram(to: Self.direct)
            let otherOctets = try straight.ask(bytes)
            let other = try Message(otherOctets.span.bytes)
            #expect(other.option?.data.wire != over.option?.data.wire)

            #expect(isUnanswered(bytes, at: Self.proxied))
            let bare = try RawClient(Self.proxied)
            try bare.send(framed(bytes))
            #expect(isClosed(bare))
            #expect(counter(server, "meridian_dns_proxy_refused_total") == 2)
        }
    }

    @Test(.timeLimit(.minutes(1))) func strangersAreNoProxies() async throws {
        try await serve("proxy: {port: 5455, from: [192.0.2.0/24]}") { server in
            let header = ProxyHeader.encode(
                source: SocketAddress(IPAddress(v4: 0xcb00_7109), port: 999), destination: Self.proxied,
                isDatagram: true)
            let bytes = try query("www.shop.test.", .a)
            #expect(isUnanswered(header + bytes, at: Self.proxied))
            let stranger = try RawClient(Self.proxied)
            #expect(isClosed(stranger))
            #expect(counter(server, "meridian_dns_proxy_refused_total") == 2)
            #expect(!isUnanswered(bytes, at: Self.direct))
        }
    }
}

/// A UDP client.
private final class Datagram {
    struct NoReply: Error {}

    private let descriptor: CInt

    init(to address: SocketAddress) throws {
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var limit = timeval(tv_sec: 0, tv_usec: 300_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var inet = sockaddr_in()
        inet.sin_family = sa_family_t(AF_INET)
        inet.sin_port = address.port.bigEndian
        inet.sin_addr.s_addr = address.address.v4.bigEndian
        let result = withUnsafePointer(to: &inet) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw NoReply() }
    }

    deinit { close(descriptor) }

    func ask(_ bytes: [UInt8]) throws -> [UInt8] {
        _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
        var room = [UInt8](repeating: 0, count: 4096)
        let count = room.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { throw NoReply() }
        return Array(room[..<count])
    }
}
