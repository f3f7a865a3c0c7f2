import DNSWire
import Engine
package import Model
import StreamWire

/// Hands datagrams to the worker's responder.
@safe
struct DatagramResponder: DatagramAnswerer {
    private let responder: UnsafeMutablePointer<Responder>
    // Not retained for each query: the worker's sockets hold it. Nil when each reply is just sent.
    private let desk: Unmanaged<DatagramGuard>?

    init(responder: UnsafeMutablePointer<Responder>, desk: DatagramGuard?) {
        unsafe self.responder = unsafe responder
        unsafe self.desk = desk.map { unsafe Unmanaged.passUnretained($0) }
    }

    mutating func anticipate(_ batch: DatagramBatch, count: Int) {
        unsafe responder.pointee.lookAhead.anticipate(
            batch, count: count, zones: responder.pointee.zones, dynamics: responder.pointee.dynamics)
    }

    mutating func answer(
        _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
        now: UInt64
    ) -> Int {
        guard let desk = unsafe desk else {
            return unsafe responder.pointee.answer(query, from: client.address, over: .udp, into: room)
        }
        return unsafe desk._withUnsafeGuaranteedRef { unsafe $0.answer(query, from: client, into: room, now: now) }
    }
}

/// What stands between datagrams and the responder where replies are limited or logged. Confined to the worker.
@safe
package final class DatagramGuard {
    package let limits: DNSConduct.RateLimit?
    private let responder: UnsafeMutablePointer<Responder>
    private let log: QueryLog?
    private let limiter: RateLimiter?
    /// Who may send datagrams, each behind a PROXY header; nil where clients send their own.
    private let proxies: [IPPrefix]?

    /// `responder`: outlives this object.
    @unsafe
    init(
        responder: UnsafeMutablePointer<Responder>, log: QueryLog?, limits: DNSConduct.RateLimit?,
        proxies: [IPPrefix]?, seed: UInt64
    ) {
        self.proxies = proxies
        unsafe self.responder = unsafe responder
        self.log = log
        self.limits = limits
        limiter = limits.map { RateLimiter($0, seed: seed) }
    }

    /// Without a log, for measuring and tests.
    @unsafe
    package convenience init(
        responder: UnsafeMutablePointer<Responder>, limits: DNSConduct.RateLimit?, proxies: [IPPrefix]? = nil,
        seed: UInt64
    ) {
        unsafe self.init(responder: responder, log: nil, limits: limits, proxies: proxies, seed: seed)
    }

    deinit { limiter?.deallocate() }

    /// Answers `query` unless too many replies like its go where it says that it comes from.
    ///
    /// `now`: monotonic nanoseconds.
    /// Returns octets written; 0 sends no reply.
    package func answer(
        _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
        now: UInt64
    ) -> Int {
        guard let proxies else { return unsafe answerClient(query, from: client, into: room, now: now) }
        if proxies.contains(where: { $0.contains(client.address.canonical) }) {
            switch unsafe ProxyHeader(query.bytes) {
            case .local(let length):
                let rest = unsafe UnsafeRawBufferPointer(rebasing: query[length...])
                return unsafe answerClient(rest, from: client, into: room, now: now)
            case .proxied(let source, _, let length):
                let rest = unsafe UnsafeRawBufferPointer(rebasing: query[length...])
                return unsafe answerClient(rest, from: source, into: room, now: now)
            case .incomplete, .malformed: break
            }
        }
        unsafe responder.pointee.tally(.proxyRefused)
        return 0
    }

    private func answerClient(
        _ query: UnsafeRawBufferPointer, from client: SocketAddress, into room: UnsafeMutableRawBufferPointer,
        now: UInt64
    ) -> Int {
        let trusted = unsafe responder.pointee.goodCookies
        var count = unsafe responder.pointee.answer(query, from: client.address, over: .udp, into: room)
        // Whoever has shown our cookie has not forged its address.
        if let limiter, count > 0, unsafe trusted == responder.pointee.goodCookies {
            switch unsafe limiter.decide(
                UnsafeRawBufferPointer(rebasing: room[..<count]), to: client.address, now: now)
            {
            case .send: break
            case .slip:
                unsafe responder.pointee.tally(.rateSlipped)
                count = unsafe responder.pointee.slip(query, from: client.address, into: room)
            case .drop:
                unsafe responder.pointee.tally(.rateDropped)
                log?.passOver()
                return 0
            }
        }
        unsafe log?.note(UnsafeRawBufferPointer(rebasing: room[..<count]), to: query.count, from: client, over: .udp)
        return count
    }
}

extension Responder {
    /// Queries with a good cookie since the worker last drained its tallies.
    var goodCookies: UInt64 { unsafe tallies[QueryCounter.goodCookies.rawValue] }
}
