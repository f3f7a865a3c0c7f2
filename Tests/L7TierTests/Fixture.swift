import ControlPlane
import Engine
import Glibc
import L7Tier
import Model
import Synchronization
import TestKit
import Testing

/// A backend that answers each request head by a script: bytes out, then keep, close or reset.
final class ScriptedBackend: Sendable {
    enum Step: Sendable {
        case send(String)
        case bytes([UInt8])
        case pause(milliseconds: UInt32)
        /// Reads so many body octets.
        case read(Int)
        /// Reads until the peer stops sending.
        case readToEnd
        /// Sends octets for as long as the peer takes them.
        case pour
        /// Reads until the peer stops sending, and counts in `swallowed` what came.
        case swallow
        case close
        case reset
    }

    let address: SocketAddress
    private let descriptor: CInt
    private let script: @Sendable (_ head: String, _ number: Int) -> [Step]
    private let seen = Mutex<(heads: [String], bodies: [String], connections: Int)>(([], [], 0))
    private let swallowedCount = Atomic<Int>(0)

    init(port: UInt16 = 0, _ script: @escaping @Sendable (_ head: String, _ number: Int) -> [Step]) throws {
        let socket = try Socket.listen(SocketAddress(IPAddress(v4: 0x7f00_0001), port: port))
        // Blocking, for threads.
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK)
        descriptor = socket
        address = try #require(Socket.localAddress(socket))
        self.script = script
        let backend = self
        try Thread.start(name: "backend") { backend.acceptAll() }
    }

    var heads: [String] { seen.withLock { $0.heads } }
    var bodies: [String] { seen.withLock { $0.bodies } }
    var connections: Int { seen.withLock { $0.connections } }
    /// Body octets that were read and thrown away.
    var swallowed: Int { swallowedCount.load(ordering: .relaxed) }

    /// Refuses new connections from now on; those that stand stay.
    func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    private func acceptAll() {
        while true {
            let client = accept(descriptor, nil, nil)
            if client < 0 { break }
            seen.withLock { $0.connections += 1 }
            let backend = self
            try? Thread.start(name: "backend-client") { backend.serve(client) }
        }
        close(descriptor)
    }

    private func serve(_ client: CInt) {
        defer { close(client) }
        var buffered: [UInt8] = []
        while let head = Self.readHead(client, &buffered) {
            let number = seen.withLock { seen in
                seen.heads.append(head)
                return seen.heads.count
            }
            for step in script(head, number) {
                switch step {
                case .send(let text): guard Self.write(client, Array(text.utf8)) else { return }
                case .bytes(let bytes): guard Self.write(client, bytes) else { return }
                case .pause(let milliseconds): usleep(milliseconds * 1_000)
                case .read(let count):
                    while buffered.count < count { guard Self.fill(client, &buffered) else { return } }
                    let body = String(decoding: buffered[..<count], as: UTF8.self)
                    buffered.removeFirst(count)
                    seen.withLock { $0.bodies.append(body) }
                case .readToEnd:
                    while Self.fill(client, &buffered) {}
                    let body = String(decoding: buffered, as: UTF8.self)
                    buffered = []
                    seen.withLock { $0.bodies.append(body) }
                case .pour:
                    let block = [UInt8](repeating: 0x78, count: 1 << 20)
                    while Self.write(client, block) {}
                    return
                case .swallow:
                    swallowedCount.add(buffered.count, ordering: .relaxed)
                    buffered = []
                    while true {
                        let count = recv(client, nil, 1 << 22, CInt(MSG_TRUNC))
                        if count <= 0 { break }
                        swallowedCount.add(count, ordering: .relaxed)
                    }
                case .close: return
                case .reset:
                    var option = linger(l_onoff: 1, l_linger: 0)
                    setsockopt(client, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                    return
                }
            }
        }
    }

    private static func readHead(_ client: CInt, _ buffered: inout [UInt8]) -> String? {
        while true {
            if let end = buffered.indices.dropFirst(3).first(where: {
                buffered[$0] == 10 && buffered[$0 - 1] == 13 && buffered[$0 - 2] == 10
            }) {
                defer { buffered.removeFirst(end + 1) }
                return String(decoding: buffered[...end], as: UTF8.self)
            }
            guard fill(client, &buffered) else { return nil }
        }
    }

    private static func fill(_ client: CInt, _ buffered: inout [UInt8]) -> Bool {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = block.withUnsafeMutableBytes { read(client, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        buffered += block[..<count]
        return true
    }

    private static func write(_ client: CInt, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(client, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

/// A whole L7 tier in this process, on a free port, with the given backends in one pool.
final class Proxy: Sendable {
    let server: Server
    let health = HealthBoard()
    let address: SocketAddress
    let node = NodeID(0)

    struct Settings: Sendable {
        var limits = HTTPLimits(headSize: 16 * 1024, headerCount: 100, bodySize: nil, connections: 1000)
        var timeouts = HTTPListenerTimeouts(head: .seconds(5), body: .seconds(5), keepalive: .seconds(5))
        var pool = PoolTimeouts(connect: .seconds(1), response: .seconds(2), idle: .seconds(30))
        var balance = BalanceAlgorithm.roundRobin
        var ejection: EjectionPolicy?
        var retry = RetryPolicy.standard
        var accessLog: String?
        var logFormat = LogSettings.Format.json
        var workers = 1
        var clientKeepalive = Keepalive.standard
        var endpointKeepalive = Keepalive.standard
        var routes: [(host: HTTPRoute.Host, path: HTTPRoute.Path, pool: Int)] = [(.any, .prefix("/"), 0)]
        var upgrades = ["websocket"]
        var trustedProxies: [IPPrefix] = []
        var rawTargets = HTTPListener.RawTargets.encode
        /// Of a second listener, at `Proxy.second`.
        var secondLimits: HTTPLimits?
        init() {}
    }

    private static let nextPort = Atomic<Int>(0)

    /// `port` is that of another proxy, to share it; nil is one of its own.
    init(pools: [[SocketAddress]], settings: Settings = Settings(), port: UInt16? = nil, opens: Bool = true) throws {
        // Below the ephemeral range, and another one each time: with SO_REUSEPORT two proxies would share a port.
        let port =
            port ?? UInt16(20_000 + Int(getpid()) % 10 * 1_000 + Self.nextPort.add(1, ordering: .relaxed).oldValue)
        address = SocketAddress(IPAddress(v4: 0x7f00_0105), port: port)
        server = Server()
        let snapshot = Self.snapshot(pools: pools, port: port, address: address.address, settings)
        try server.start(try server.prepare(snapshot, node: node), health: health)
        if opens { try server.open() }
    }

    func reload(pools: [[SocketAddress]], settings: Settings = Settings()) throws {
        let snapshot = Self.snapshot(pools: pools, port: address.port, address: address.address, settings)
        server.install(try server.prepare(snapshot, node: node))
    }

    static func snapshot(
        pools: [[SocketAddress]], port: UInt16, address: IPAddress, _ settings: Settings
    ) -> Snapshot {
        var endpoints: [Endpoint] = []
        var modelPools: [Pool] = []
        for (index, addresses) in pools.enumerated() {
            let first = endpoints.count
            endpoints += addresses.map {
                Endpoint(pool: PoolID(index), region: RegionID(0), address: $0, weight: 1)
            }
            modelPools.append(
                Pool(
                    name: "pool\(index)", kind: .http, service: nil, balance: settings.balance, check: nil,
                    ejection: settings.ejection, timeouts: settings.pool, keepalive: 16,
                    watch: settings.endpointKeepalive,
                    endpoints: (first..<endpoints.count).map(EndpointID.init), closeOnDown: true,
                    retry: settings.retry))
        }
        let log = LogSettings(format: settings.logFormat, access: settings.accessLog)
        return Snapshot(
            fingerprint: 1,
            regions: [Region(name: "here", location: Location(), address: nil, capacity: nil)],
            nodes: [
                Node(
                    name: "l7-1", tier: .l7, region: RegionID(0), address: address, workers: settings.workers,
                    admin: nil,
                    adminToken: nil, federation: nil, drainTimeout: .seconds(5), log: log)
            ],
            services: [], pools: modelPools, endpoints: endpoints,
            dns: DNSPlan(port: 53, zones: [], locations: nil, maximumUDPSize: 1232),
            http: HTTPPlan(
                listeners: [
                    HTTPListener(
                        name: "public", port: port, limits: settings.limits, timeouts: settings.timeouts,
                        keepalive: settings.clientKeepalive, trustedProxies: settings.trustedProxies,
                        rawTargets: settings.rawTargets)
                ]
                    + (settings.secondLimits.map {
                        [HTTPListener(name: "second", port: port + 500, limits: $0, timeouts: settings.timeouts)]
                    } ?? []),
                routes: settings.routes.enumerated().map { index, route in
                    HTTPRoute(
                        name: "r\(index)", host: route.host, path: route.path, pool: PoolID(route.pool),
                        upgrades: settings.upgrades)
                }),
            tcp: TCPPlan(listeners: []),
            federation: FederationPlan(
                keys: [], interval: .seconds(1), staleAfter: .seconds(5), clockSkew: .seconds(30), failStaticShare: 60,
                damping: Damping(rise: .seconds(3), fall: .zero)))
    }

    func stop(deadline: Duration = .seconds(2)) async {
        server.stopAccepting()
        await server.stop(deadline: deadline)
    }

    func client() throws -> RawClient { try RawClient(address) }

    /// Where the second listener is, when there is one.
    var second: SocketAddress { SocketAddress(address.address, port: address.port + 500) }
}

/// `HTTP/1.1 200 OK` with a length and a body.
func ok(_ body: String = "hello", _ fields: String = "") -> String {
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// Sockets of this network that are bound to `port` and held by somebody: neither in TIME_WAIT nor on their way to it.
func openSockets(port: UInt16) -> Int {
    guard let file = fopen("/proc/self/net/tcp", "r") else { return -1 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    var count = 0
    while fgets(&line, 512, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 3, let local = fields[1].split(separator: ":").last, UInt16(local, radix: 16) == port
        else { continue }
        // ESTABLISHED, CLOSE_WAIT and LISTEN.
        if ["01", "08", "0A"].contains(fields[3]) { count += 1 }
    }
    return count
}

/// One at a time: the clients of these tests block their threads.
@Suite("The L7 tier", .serialized)
enum L7TierTests {}
