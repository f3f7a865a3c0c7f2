import ControlPlane
import DNSWire
import Model
import Topology

extension Conduct {
    /// The most octets that a node may tell of itself.
    private static let maximumText = 128

    /// Made anew by each process that is given no secret: good for one node with an address of its own.
    private static let ownKey = SipKey(
        low: UInt64.random(in: 0...UInt64.max), high: UInt64.random(in: 0...UInt64.max))

    /// What `snapshot` asks for, its secrets read.
    ///
    /// `node`: the node's name.
    static func read(_ snapshot: Snapshot, node: String) -> (conduct: Conduct, diagnostics: [Diagnostic]) {
        let plan = snapshot.dns
        var conduct = Conduct()
        var diagnostics: [Diagnostic] = []
        let asked = plan.conduct
        func octets(_ text: String, _ key: String) -> [UInt8] {
            let octets = Array(text.utf8)
            if octets.isEmpty || octets.count > maximumText {
                diagnostics.append(
                    Diagnostic(
                        file: "dns.identity.\(key)", message: "\(octets.count) octets; 1 to \(maximumText) may be told")
                )
            }
            return octets
        }
        conduct.maximumUDPSize = plan.maximumUDPSize
        conduct.amplification = asked.amplification
        let name = octets(asked.identity.name ?? node, "name")
        if asked.identity.nsid { conduct.identifier = name }
        if asked.identity.chaos {
            conduct.chaosIdentity = name
            conduct.chaosVersion = octets(asked.identity.version, "version")
        }
        for (index, secret) in asked.cookies.secrets.enumerated() {
            do throws(SecretReader.Missing) {
                let text = String(decoding: try SecretReader.read(secret), as: UTF8.self)
                if let key = SipKey(hex: text) {
                    conduct.cookieKeys.append(key)
                } else {
                    diagnostics.append(
                        secret.diagnostic(
                            "dns.cookies.secrets[\(index)]: not 32 hexadecimal digits",
                            "make one with `openssl rand -hex 16`", in: snapshot, topology: "dns.cookies"))
                }
            } catch {
                diagnostics.append(
                    secret.diagnostic(
                        "dns.cookies.secrets[\(index)]: \(error)", secret.cure, in: snapshot, topology: "dns.cookies"))
            }
        }
        if asked.cookies.secrets.isEmpty { conduct.cookieKeys = [ownKey] }
        conduct.requiresCookie = asked.cookies.required
        conduct.keepalive = UInt16(clamping: asked.tcp.idle.components.seconds * 10)
        conduct.streams.connections = asked.tcp.connections
        conduct.streams.perSource = asked.tcp.perSource
        conduct.streams.idle = asked.tcp.idle.nanoseconds
        conduct.streams.message = asked.tcp.message.nanoseconds
        conduct.proxies = asked.proxy?.from ?? []
        conduct.rateLimit = asked.rateLimit
        return (conduct, diagnostics)
    }
}

extension Duration {
    /// Of durations that a topology may have.
    fileprivate var nanoseconds: UInt64 {
        UInt64(max(0, components.seconds)) * 1_000_000_000 + UInt64(max(0, components.attoseconds) / 1_000_000_000)
    }
}
