import Engine
import HTTPExchange
import HTTPWire
import Model

/// One listener as one worker sees it: the rules that its sessions begin under, and how many of them there are.
final class Doorway {
    /// Of the configuration that is in force when a connection is made.
    struct Rules {
        /// For access lines.
        let name: [UInt8]
        let limits: SessionLimits
        /// Octets of a request body.
        let bodyLimit: UInt64
        /// Sessions of this listener on one worker.
        let connections: Int
        let port: UInt16
        /// Whose word about clients is taken.
        let trustedProxies: [IPPrefix]

        init(_ listener: HTTPListener) {
            name = Array(listener.name.utf8)
            limits = SessionLimits(
                head: RequestHead.Limits(
                    size: min(listener.limits.headSize, Buffer.capacity), fields: listener.limits.headerCount,
                    takesRawTargets: listener.rawTargets == .encode),
                headTimeout: listener.timeouts.head, bodyTimeout: listener.timeouts.body,
                idleTimeout: listener.timeouts.keepalive)
            bodyLimit = listener.limits.bodySize.map { UInt64(max(0, $0)) } ?? .max
            connections = listener.limits.connections
            port = listener.port
            trustedProxies = listener.trustedProxies
        }

        func trusts(_ address: IPAddress) -> Bool {
            for prefix in trustedProxies where prefix.contains(address) { return true }
            return false
        }
    }

    var rules: Rules
    private(set) var sessions = 0

    init(_ rules: Rules) { self.rules = rules }

    var isFull: Bool { sessions >= rules.connections }

    func enter() { sessions &+= 1 }
    func leave() { sessions &-= 1 }
}
