import ControlPlane
import Engine
import Glibc
import HTTPWire
import L7Tier
import Model
import TestKit
import Topology

/// A client of the whole L7 tier that pipelines what it likes, over connections to the server that are used again: what the
/// server reads is what was routed, request by request, and framed in the one way that there is.
package struct ProxyingTarget: FuzzTarget {
    package static let name = "http-proxying"
    package static let limit = 8192
    package static let tokens: [[UInt8]] = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", " HTTP/1.7\r\n",
        "GET http://h/x HTTP/1.1\r\n", "Host: h\r\n", "Content-Length: 42\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: ,chunked\r\n", "Connection: close\r\n", "Connection: x, keep-alive\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n", "Expect: 100-continue\r\n", "Max-Forwards: 1\r\n", "\r\n",
        "\r\n\r\n",
        "0\r\n", "5;a=b\r\nabcde\r\n", "00005\r\n", "Host: evil\r\n", "X-Forwarded-For: 192.0.2.1\r\n", "X_A: b\r\n",
        "/../",
        "%41", "\u{e9}", "?", "?\\", "HEAD ", "OPTIONS * ", "GET /stolen HTTP/1.1\r\nHost: evil\r\n\r\n",
    ].map(\.octets)

    private struct Routed: Equatable {
        var method = ""
        var target = ""
        var body: [UInt8] = []
    }

    private let proxy: ProxyInProcess
    private let head = RequestHead()

    package init() throws { proxy = try ProxyInProcess() }

    package mutating func run(_ input: [UInt8]) -> Outcome {
        // So that the connection to the server is one that was used before.
        let whole = "GET /before HTTP/1.1\r\nHost: h\r\n\r\n".octets + input
        let (expected, closes) = route(whole)
        let seed = input.reduce(into: UInt64(17)) { $0 = $0 &* 31 &+ UInt64($1) }
        let fault = proxy.talk(whole, pieces: 1 + Int(seed >> 7) % 4, count: expected.count, closes: closes)
        let isSettled = proxy.settles()
        let (requests, faults) = proxy.backend.take()
        if let fault = faults.first { return .broken("the server could not read \(fault)") }
        // The last one is ours, behind what the client sent.
        let read = requests.dropLast().map { Routed(method: $0.method, target: $0.target, body: $0.body) }
        guard read == expected, requests.last?.target == "/last" else {
            return .broken(
                "routed \(expected), and the server read \(read), then \(requests.last?.target ?? "nothing")")
        }
        if let fault { return .broken(fault) }
        if !isSettled { return .broken("connections to the server are left over") }
        for request in requests {
            guard request.values("x-forwarded-for") == ["127.0.0.1"], request.values("x-real-ip") == ["127.0.0.1"],
                request.values("forwarded").isEmpty,
                request.values("connection") == request.values("upgrade").map({ _ in "upgrade" }),
                request.values("upgrade").allSatisfy({ $0.lowercased() == "websocket" })
            else { return .broken("\(request.fields)") }
        }
        var trail = Trail()
        trail.step(closes ? 1 : 0)
        for request in expected {
            trail.step(request.method.utf8.count)
            trail.step(request.body.isEmpty ? 0 : 1)
        }
        return trail.outcome
    }

    /// What is to be forwarded of `octets`, a client's whole stream, and whether the proxy is sure to close behind it; else it may
    /// wait for more.
    private func route(_ octets: [UInt8]) -> (requests: [Routed], closes: Bool) {
        let limits = RequestHead.Limits(takesRawTargets: true)
        var routed: [Routed] = []
        var rest = octets
        while true {
            switch rest.withBytes({ head.parse($0, limits: limits) }) {
            case .complete: break
            case .incomplete: return (routed, false)
            case .invalid:
                // What came in pieces is looked at when its end is there.
                var scanner = HeadScanner()
                return (routed, rest.withBytes { scanner.hasEnd($0) })
            }
            let isForwarded = head.method != .trace && head.maxForwards != 0
            guard let target = target(rest) else {
                guard head.framing == .none, head.keepsAlive else { return (routed, true) }
                rest.removeFirst(head.length)
                continue
            }
            var request = Routed(method: text(rest, head.methodText), target: target)
            let (framing, keepsAlive) = (head.framing, head.keepsAlive)
            guard isForwarded || framing == .none else { return (routed, true) }
            rest.removeFirst(head.length)
            var reader = BodyReader(framing, decodes: true)
            if !reader.isComplete {
                let passage = unsafe rest.withUnsafeMutableBytes { unsafe reader.pass($0.mutableBytes) }
                guard passage.hasEnded, !passage.isMalformed else { return (routed, passage.isMalformed) }
                request.body = Array(rest[..<passage.kept])
                rest.removeFirst(passage.taken)
            }
            if isForwarded { routed.append(request) }
            guard keepsAlive else { return (routed, true) }
        }
    }

    private func text(_ octets: [UInt8], _ slice: Slice) -> String {
        String(decoding: octets[slice.start..<slice.end], as: UTF8.self)
    }

    private func target(_ octets: [UInt8]) -> String? {
        if head.isAsterisk { return "*" }
        var path = Array(octets[head.path.start..<head.path.end])
        if path.isEmpty { path = [0x2f] }
        if head.pathNeedsNormalising {
            var room = [UInt8](repeating: 0, count: 3 * path.count)
            let count = unsafe room.withUnsafeMutableBytes { room in
                path.withBytes { unsafe PathNormaliser.normalise($0, into: room) }
            }
            guard let count else { return nil }
            path = Array(room[..<count])
        }
        let query = octets[head.query.start..<head.query.end].map { octet in
            octet < 0x80 && octet != 0x5c
                ? String(UnicodeScalar(octet)) : "%" + String(octet, radix: 16, uppercase: true)
        }
        return String(decoding: path, as: UTF8.self) + query.joined()
    }
}

/// One worker, one server, both in this process.
private final class ProxyInProcess: Sendable {
    let backend: StrictServer
    private let server = Server()
    private let health = HealthBoard()
    private let address: SocketAddress

    init() throws {
        backend = try StrictServer()
        let free = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0))
        let port = Socket.localAddress(free)?.port ?? 0
        Socket.close(free)
        address = SocketAddress(IPAddress(v4: 0x7f00_0001), port: port)
        let snapshot = try TopologyLoader.load(
            text: """
                federation: {keys: [{id: k, secret: {env: UNUSED}}]}
                regions: {here: {address: 127.0.0.1}}
                nodes: {proxy: {tier: l7, region: here, workers: 1}}
                pools: {p: {kind: http, endpoints: {here: ["\(backend.address)"]}, keepalive: 1}}
                http:
                  listeners: {l: {port: \(port)}}
                  routes: [{name: all, pool: p}]
                """, file: "proxying.yaml")
        try server.start(try server.prepare(snapshot, node: NodeID(0)), health: health)
        try server.open()
    }

    /// Sends `octets`, waits until the server has read `count` requests, and until the proxy closes where it does. Nil when it
    /// went as foreseen.
    func talk(_ octets: [UInt8], pieces: Int, count: Int, closes: Bool) -> String? {
        guard let client = try? RawClient(address) else { return "no connection" }
        let size = max(1, octets.count / pieces)
        for start in stride(from: 0, to: octets.count, by: size) {
            // A refusal may close the connection before all is sent.
            guard (try? client.send(Array(octets[start..<min(octets.count, start + size)]))) != nil else { break }
            if pieces > 1 { sched_yield() }
        }
        if closes {
            do throws(RawClient.Failure) {
                _ = try client.readToEnd()
            } catch {
                if error.code == EAGAIN { return "the proxy does not close" }
            }
            return nil
        }
        for _ in 0..<50_000 {
            if backend.count >= count { return nil }
            usleep(100)
        }
        return "the server did not get \(count) requests"
    }

    /// Waits until the server has read all that comes to it, with a last request of ours.
    func settles() -> Bool {
        guard let client = try? RawClient(address), (try? client.send("GET /last HTTP/1.1\r\nHost: h\r\n\r\n")) != nil,
            (try? client.readResponse()) != nil
        else { return false }
        for _ in 0..<50_000 {
            if backend.connections <= 1 { return true }
            usleep(100)
        }
        return false
    }
}
