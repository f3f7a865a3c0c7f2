import Engine
import Model
import Synchronization

/// A configuration with its new listeners bound. Dropping it closes those that nobody took.
package final class PreparedForwarding: Sendable {
    let plan: ForwardingPlan
    private let sockets: Mutex<[SocketAddress: [CInt]]>

    /// Binds one socket per worker at each of `addresses`.
    init(_ plan: ForwardingPlan, binding addresses: [SocketAddress] = [], workers: Int = 0) throws(SocketError) {
        self.plan = plan
        var bound: [SocketAddress: [CInt]] = [:]
        do throws(SocketError) {
            for address in addresses {
                for _ in 0..<workers { bound[address, default: []].append(try Socket.listen(address)) }
            }
        } catch {
            for descriptor in bound.values.joined() { Socket.close(descriptor) }
            throw error
        }
        sockets = Mutex(bound)
    }

    /// A socket bound to `address`, which then belongs to the caller; nil when there is none left.
    func take(_ address: SocketAddress) -> CInt? { sockets.withLock { $0[address]?.popLast() } }

    deinit {
        for descriptor in sockets.withLock({ $0 }).values.joined() { Socket.close(descriptor) }
    }
}
