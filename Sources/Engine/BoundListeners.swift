package import Model
import Synchronization

/// The sockets of a tier's TCP listeners, one for each worker at each address, from their bind until a worker has them.
///
/// A socket that is bound and does not listen tells at boot that the port is free, and gets no client: of the sockets that
/// share a port (SO_REUSEPORT) the kernel chooses among those that listen. Whatever nobody took is closed with the object.
package final class BoundListeners: Sendable {
    private struct State {
        /// By worker; -1 where it was taken.
        var waiting: [SocketAddress: [CInt]] = [:]
        /// Taken and not closed yet.
        var open = 0
    }

    private let state: Mutex<State>

    private init() { state = Mutex(State()) }

    /// A new one without sockets.
    package static var none: BoundListeners { BoundListeners() }

    /// Binds `workers` sockets at each of `addresses`.
    package init(_ addresses: [SocketAddress], workers: Int) throws(SocketError) {
        var bound: [SocketAddress: [CInt]] = [:]
        do throws(SocketError) {
            for address in Set(addresses) {
                for _ in 0..<workers { bound[address, default: []].append(try Socket.bound(address)) }
            }
        } catch {
            Self.close(bound)
            throw error
        }
        state = Mutex(State(waiting: bound))
    }

    deinit { Self.close(state.withLock { $0.waiting }) }

    /// Has those at `places` listen: from here on the kernel completes handshakes for them, and what it accepts is watched
    /// as the place says.
    package func listen(at places: [(address: SocketAddress, keepalive: Keepalive)]) throws(SocketError) {
        let waiting = state.withLock { $0.waiting }
        for (address, keepalive) in places {
            for descriptor in waiting[address] ?? [] where descriptor >= 0 {
                Socket.keepAlive(descriptor, keepalive)
                try Socket.listen(descriptor, at: address)
            }
        }
    }

    /// The socket of one worker at `address`, which then belongs to the caller, who says `closedOne` when it is closed; nil
    /// when there is none.
    package func take(_ address: SocketAddress, worker: Int) -> CInt? {
        state.withLock { state in
            guard let descriptor = state.waiting[address]?[worker], descriptor >= 0 else { return nil }
            state.waiting[address]?[worker] = -1
            state.open += 1
            return descriptor
        }
    }

    func closedOne() { state.withLock { $0.open -= 1 } }

    /// Sockets that workers have open.
    package var openCount: Int { state.withLock { $0.open } }

    /// Takes over what waits in `other`, and closes what waits here for other addresses than `addresses`.
    package func adopt(_ other: BoundListeners, keeping addresses: [SocketAddress]) {
        let fresh = other.state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting
        }
        let stale = state.withLock { state in
            let wanted = Set(addresses)
            var stale: [SocketAddress: [CInt]] = [:]
            for (address, descriptors) in state.waiting where !wanted.contains(address) || fresh[address] != nil {
                stale[address] = descriptors
                state.waiting[address] = nil
            }
            state.waiting.merge(fresh) { _, new in new }
            return stale
        }
        Self.close(stale)
    }

    private static func close(_ sockets: [SocketAddress: [CInt]]) {
        for descriptor in sockets.values.joined() where descriptor >= 0 { Socket.close(descriptor) }
    }
}
