import Federation
package import Model
package import Topology

/// The secrets that one node needs, read once per configuration.
package struct NodeSecrets: Sendable {
    let keyring: Keyring?
    let adminToken: [UInt8]?

    /// - Throws: every secret that cannot be had, and an admin API that would stand open.
    package init(_ snapshot: Snapshot, node: NodeID, topology: String) throws(InvalidTopology) {
        var problems: [Diagnostic] = []
        func read(_ secret: Secret, _ what: String) -> [UInt8]? {
            do { return try SecretReader.read(secret) } catch {
                problems.append(Diagnostic(file: topology, message: "\(what): \(error)"))
                return nil
            }
        }
        var keys: [(id: String, secret: [UInt8])] = []
        if snapshot[node].federation != nil {
            for key in snapshot.federation.keys {
                guard let value = read(key.secret, "federation key \(key.id)") else { continue }
                if value.count < Keyring.leastSecretSize {
                    problems.append(
                        Diagnostic(
                            file: topology, message: "federation key \(key.id): \(value.count) octets",
                            hint: "at least \(Keyring.leastSecretSize), such as `openssl rand -hex 32` prints"))
                }
                keys.append((key.id, value))
            }
        }
        let token = snapshot[node].adminToken.flatMap { read($0, "adminToken of node \(snapshot[node].name)") }
        if let admin = snapshot[node].admin, !admin.address.isLoopback, snapshot[node].adminToken == nil {
            problems.append(
                Diagnostic(
                    file: topology, message: "node \(snapshot[node].name): the admin API on \(admin) has no token",
                    hint: "add adminToken, or listen on a loopback address"))
        }
        if !problems.isEmpty { throw InvalidTopology(diagnostics: problems) }
        keyring = Keyring(keys)
        adminToken = token
    }
}
