import Balancing
import Engine
package import HTTPExchange
import HTTPWire
import Model

/// A user's connection: the downstream codec of its exchanges.
@safe
package final class ClientSession: ServerSession {
    let proxy: ProxyWorker
    let rules: Doorway.Rules
    private let door: Doorway
    /// The peer is a proxy whose word about clients is taken.
    let isTrusted: Bool
    let exchange: Exchange
    /// The number by which source hash knows the client.
    private(set) var source: UInt64
    /// The forwarding fields of a peer that is its own client, with their line ends, ready to be copied; and behind them room
    /// for the address of another client.
    private let text: UnsafeMutableRawBufferPointer
    private let lineCount: Int
    private let peerText: Range<Int>
    private var clientText: Range<Int>
    private var requests: UInt32 = 0

    private static let lineRoom = 256
    private static let nameOfForwardedFor: StaticString = "X-Forwarded-For: "

    init(proxy: ProxyWorker, door: Doorway, descriptor: CInt, peer: SocketAddress) {
        self.proxy = proxy
        self.door = door
        rules = door.rules
        let address = peer.address.canonical
        isTrusted = door.rules.trusts(address)
        source = SourceHash.source(peer.address)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.lineRoom + IPAddress.longestText, alignment: 8)
        unsafe text = memory
        var end = 0
        let start = Self.nameOfForwardedFor.utf8CodeUnitCount
        var count = 0
        if var writer = unsafe HeadWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<Self.lineRoom])) {
            writer.append(Self.nameOfForwardedFor)
            writer.append(address: address)
            end = writer.count
            writer.append("\r\nX-Real-IP: ")
            writer.append(address: address)
            writer.append("\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ")
            writer.append(decimal: UInt64(door.rules.port))
            writer.append("\r\nVia: 1.1 meridian\r\n")
            count = writer.count
        }
        peerText = start..<end
        clientText = peerText
        lineCount = count
        exchange = Exchange(proxy: proxy)
        super.init(context: proxy.context, limits: door.rules.limits, descriptor: descriptor, peer: peer)
        door.enter()
        exchange.attach(self)
        proxy.count(WorkerCounter.connections)
    }

    deinit { unsafe text.deallocate() }

    /// The listener's limit of a request body in octets.
    var bodyLimit: UInt64 { rules.bodyLimit }

    /// The client's address as text: the peer's, or what trusted proxies say of the last request.
    var clientBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: text[clientText]) }

    /// A trusted proxy has told whose request the last one is.
    var hasClient: Bool { clientText != peerText }

    /// The peer's address as text.
    var peerBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: text[peerText]) }

    /// All of the prepared lines.
    var forwardedLines: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: text[..<lineCount]) }

    /// Notes whose request a trusted proxy brings; nil when it does not say.
    func note(client: IPAddress?) {
        clientText = peerText
        source = SourceHash.source(client ?? peer.address)
        guard let client,
            var writer = unsafe HeadWriter(UnsafeMutableRawBufferPointer(rebasing: text[Self.lineRoom...]))
        else { return }
        writer.append(address: client)
        clientText = Self.lineRoom..<(Self.lineRoom &+ writer.count)
    }

    override public func requestReceived() {
        requests &+= 1
        // At the 1st, 2nd, 4th, 8th … request: the kernel knows the round trip from the handshake, and better later. That to
        // a proxy says nothing of its clients, and a check is no client.
        if requests & (requests &- 1) == 0, proxy.measuresRoundTrips, !isTrusted,
            proxy.context.request.checkMark.isEmpty
        {
            proxy.measure(self)
        }
        exchange.begin()
    }

    override public func bodyReadable() { exchange.pumpRequest() }

    override public func outputDrained() { exchange.clientDrained() }

    override public func exchangeTimedOut() { exchange.clientTimedOut() }

    override public func peerStoppedSending() { exchange.clientLeft() }

    override public func refused(status: Int, reason: StaticString) {
        proxy.count(WorkerCounter.refused)
        proxy.countStatus(status)
        clientText = peerText
        exchange.logRefusal(status: status, reason: reason)
    }

    override public var isWithinResponse: Bool { exchange.isWithinResponse }

    override public func sessionClosed() {
        exchange.abandon()
        door.leave()
        proxy.count(WorkerCounter.closed)
    }
}
