import Engine
package import HTTPExchange
import HTTPWire
import Model

/// A user's connection: the downstream codec of its exchanges.
@safe
package final class ClientSession: ServerSession {
    let proxy: ProxyWorker
    /// The name of the listener, for access lines.
    let listener: [UInt8]
    /// The listener's limit of a request body in octets.
    let bodyLimit: UInt64
    /// `X-Forwarded-For: 192.0.2.1`, `X-Forwarded-Proto` and `Via`, with their line ends, ready to be copied.
    let forwarded: UnsafeMutableRawBufferPointer
    /// Where the peer's address stands in `forwarded`.
    let peerText: Range<Int>
    let source: UInt64
    let exchange: Exchange
    private var requests: UInt32 = 0

    private static let nameOfForwardedFor: StaticString = "X-Forwarded-For: "

    init(
        proxy: ProxyWorker, listener: [UInt8], limits: SessionLimits, bodyLimit: UInt64, source: UInt64,
        descriptor: CInt,
        peer: SocketAddress
    ) {
        self.proxy = proxy
        self.listener = listener
        self.bodyLimit = bodyLimit
        self.source = source
        let address = Array(peer.address.description.utf8)
        let name = Self.nameOfForwardedFor
        peerText = name.utf8CodeUnitCount..<(name.utf8CodeUnitCount + address.count)
        unsafe forwarded = .allocate(byteCount: 128, alignment: 8)
        var count = 0
        if var writer = unsafe HeadWriter(forwarded) {
            writer.append(name)
            unsafe address.withUnsafeBytes { unsafe writer.append($0) }
            writer.append("\r\nX-Forwarded-Proto: http\r\nVia: 1.1 meridian\r\n")
            count = writer.count
        }
        forwardedCount = count
        exchange = Exchange(proxy: proxy)
        super.init(context: proxy.context, limits: limits, descriptor: descriptor, peer: peer)
        exchange.attach(self)
        proxy.count(WorkerCounter.connections)
    }

    deinit { unsafe forwarded.deallocate() }

    private let forwardedCount: Int

    /// All of the prepared lines.
    var forwardedLines: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: forwarded[..<forwardedCount])
    }

    /// The prepared lines from the peer's address on, to be put behind what the client sent.
    var forwardedTail: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: forwarded[peerText.lowerBound..<forwardedCount])
    }

    override public func requestReceived() {
        requests &+= 1
        // At the 1st, 2nd, 4th, 8th … request: the kernel knows the round trip from the handshake, and better later.
        if requests & (requests &- 1) == 0, proxy.measuresRoundTrips { proxy.measure(self) }
        exchange.begin()
    }

    override public func bodyReadable() { exchange.pumpRequest() }

    override public func outputDrained() { exchange.clientDrained() }

    override public func exchangeTimedOut() { exchange.clientTimedOut() }

    override public func refused(status: Int, reason: StaticString) {
        proxy.count(WorkerCounter.refused)
        proxy.countStatus(status)
        exchange.logRefusal(status: status, reason: reason)
    }

    override public func sessionClosed() {
        exchange.abandon()
        proxy.count(WorkerCounter.closed)
    }
}
