import Federation
package import Model
package import Topology

/// The secrets that one node needs, read once per configuration.
package struct NodeSecrets: Sendable {
    let keyring: Keyring?
    let adminToken: [UInt8]?
    /// Of the checks that this node makes.
    let passwords: [Secret: String]

    /// - Throws: every secret that cannot be had, and an admin API that would stand open.
    package init(_ snapshot: Snapshot, node: NodeID, topology: String) throws(InvalidTopology) {
        var reader = Reader(snapshot: snapshot, topology: topology)
        var keys: [(id: String, secret: [UInt8])] = []
        if snapshot[node].federation != nil {
            for key in snapshot.federation.keys {
                guard let value = reader.read(key.secret, "federation key \(key.id)") else { continue }
                if value.count < Keyring.leastSecretSize {
                    reader.complain(
                        key.secret, "federation key \(key.id): \(value.count) octets",
                        "at least \(Keyring.leastSecretSize), such as `openssl rand -hex 32` prints")
                }
                keys.append((key.id, value))
            }
        }
        let token = snapshot[node].adminToken.flatMap { reader.read($0, "adminToken of node \(snapshot[node].name)") }
        if let admin = snapshot[node].admin, !admin.address.isLoopback, snapshot[node].adminToken == nil {
            reader.problems.append(
                Diagnostic(
                    file: topology, message: "node \(snapshot[node].name): the admin API on \(admin) has no token",
                    hint: "add adminToken, or listen on a loopback address"))
        }
        var passwords: [Secret: String] = [:]
        for (owner, probe) in Self.logins(snapshot, node: node) {
            if let secret = probe.password, passwords[secret] == nil,
                let value = reader.read(secret, "password of the check of \(owner)")
            {
                passwords[secret] = String(decoding: value, as: UTF8.self)
            }
            if probe.tls.verifies, let trust = probe.trust(IPAddress(v4: 0)), let why = TLSChannel.trouble(trust) {
                reader.problems.append(
                    Diagnostic(
                        file: topology, message: "check of \(owner): \(why)",
                        hint: "sslrootcert: a file of certificates in PEM"))
            }
        }
        if !reader.problems.isEmpty { throw InvalidTopology(diagnostics: reader.problems) }
        keyring = Keyring(keys)
        adminToken = token
        self.passwords = passwords
    }

    /// How `node` logs in, and where. The same rule as that of who probes what.
    private static func logins(_ snapshot: Snapshot, node: NodeID) -> [(owner: String, probe: PostgreSQLProbe)] {
        var checks: [(owner: String, check: HealthCheck)] = []
        var pools: Set<PoolID> = []
        for endpoint in EndpointProbing.scope(snapshot, node: node) where pools.insert(snapshot[endpoint].pool).inserted
        {
            let pool = snapshot[snapshot[endpoint].pool]
            if let check = pool.check { checks.append(("pool \(pool.name)", check)) }
        }
        for name in CandidateProbing.names(snapshot, node) {
            if let check = name.check { checks.append(("name \(name.name)", check)) }
        }
        return checks.compactMap { owner, check in
            if case .postgresql(let probe) = check.probe { (owner, probe) } else { nil }
        }
    }

    private struct Reader {
        let snapshot: Snapshot
        let topology: String
        var problems: [Diagnostic] = []

        init(snapshot: Snapshot, topology: String) {
            self.snapshot = snapshot
            self.topology = topology
        }

        mutating func read(_ secret: Secret, _ what: String) -> [UInt8]? {
            do { return try SecretReader.read(secret) } catch {
                complain(secret, "\(what): \(error)", secret.cure)
                return nil
            }
        }

        mutating func complain(_ secret: Secret, _ message: String, _ hint: String) {
            problems.append(secret.diagnostic(message, hint, in: snapshot, topology: topology))
        }
    }
}

extension Secret {
    /// An error at the place where a topology names this secret.
    package func diagnostic(_ message: String, _ hint: String, in snapshot: Snapshot, topology: String) -> Diagnostic {
        guard let place = snapshot.secretPlaces[self] else {
            return Diagnostic(file: topology, message: message, hint: hint)
        }
        return Diagnostic(
            file: place.file, line: place.line, column: place.column, message: message, hint: hint)
    }

    /// What to do when it cannot be had.
    package var cure: String {
        switch self {
        case .environment(let name):
            "set \(name) in the environment of the node, or keep the secret in a file: {file: PATH}"
        case .file(let path): "write it to \(path), readable for the user that the node runs as"
        }
    }
}
