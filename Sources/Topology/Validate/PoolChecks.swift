import Model

/// Pools whose settings fit their kind and each other.
enum PoolChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for pool in root.records("pools") {
            diagnostics += endpoints(pool.name, pool.record)
            diagnostics += settings(pool.name, pool.record)
            if let check = pool.record.record("check") {
                diagnostics += timing(of: check, "pools.\(pool.name).check")
                diagnostics += ports(of: check, pool.name)
                diagnostics += encryption(of: check, "pools.\(pool.name).check")
            }
        }
        return diagnostics
    }

    /// True when the pool's check tells primaries from replicas, or is in error so that nobody knows.
    static func learnsRoles(_ pool: Record) -> Bool {
        guard let check = pool.fields["check"] else { return false }
        return check.record?.has("postgresql") ?? true
    }

    /// Checks of pools and of names alike.
    static func timing(of check: Record, _ path: String) -> [Diagnostic] {
        guard let interval = check.optionalDuration("interval"), let timeout = check.optionalDuration("timeout"),
            timeout > interval
        else { return [] }
        return [
            check.position(of: "timeout").error(
                "\(path).timeout: \(timeout.text) is longer than the interval of \(interval.text)",
                "at most the interval")
        ]
    }

    /// Keys that say whom to trust need a mode that asks. Checks of pools and of names alike.
    static func encryption(of check: Record, _ path: String) -> [Diagnostic] {
        guard let probe = check.record("postgresql") else { return [] }
        let mode = probe.text("sslmode")
        return [("sslrootcert", ["verify-ca", "verify-full"]), ("host", ["verify-full"])].compactMap { key, modes in
            guard probe.has(key), !modes.contains(mode) else { return nil }
            return probe.position(of: key).error(
                "\(path).postgresql.\(key): sslmode: \(mode) verifies no \(key == "host" ? "name" : "certificate")",
                "sslmode: \(modes.joined(separator: " or ")), or leave it out")
        }
    }

    private static func endpoints(_ name: String, _ pool: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var seen: [SocketAddress: Position] = [:]
        for entry in pool.entries("endpoints") {
            var weights = 0
            for item in entry.value.items {
                guard let (address, weight) = Compiler.endpoint(item) else {
                    weights += 1
                    continue
                }
                weights += weight
                if address.address.isUnspecified {
                    diagnostics.append(
                        item.position.error(
                            "pools.\(name).endpoints.\(entry.name): \(address) is no server's address",
                            "the address at which it listens"))
                }
                if let first = seen[address] {
                    diagnostics.append(
                        item.position.error(
                            "pools.\(name).endpoints.\(entry.name): \(address) is in the pool already (\(first.text))",
                            "give it a weight instead"))
                } else {
                    seen[address] = item.position
                }
            }
            if weights == 0, !entry.value.items.isEmpty {
                diagnostics.append(
                    entry.position.warning(
                        "pools.\(name).endpoints.\(entry.name): every weight is 0", "no server takes traffic"))
            }
        }
        return diagnostics
    }

    private static func settings(_ name: String, _ pool: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        if let ejection = pool.record("ejection"), let base = ejection.optionalDuration("base"),
            let maximum = ejection.optionalDuration("maximum"), maximum < base
        {
            diagnostics.append(
                ejection.position(of: "maximum").error(
                    "pools.\(name).ejection.maximum: \(maximum.text) is shorter than the base of \(base.text)",
                    "at least the base"))
        }
        if pool.text("kind") == "tcp" {
            if let ejection = pool.record("ejection") {
                for item in ejection.items("on") where item.text.map({ $0 != "connect" }) ?? false {
                    diagnostics.append(
                        item.position.error(
                            "pools.\(name).ejection.on: a tcp pool does not see '\(item.text ?? "")'",
                            "connect is what it sees; leave the others out"))
                }
            }
            if let retry = pool.record("retry") {
                diagnostics.append(
                    retry.position.error(
                        "pools.\(name).retry: a tcp pool has no requests",
                        "leave it out; a connection that fails is tried on three servers"))
            }
        }
        if pool.text("kind") == "http", pool.record("check")?.has("postgresql") == true {
            diagnostics.append(
                pool.section("check").position(of: "postgresql").error(
                    "pools.\(name).check: an http pool has a postgresql check", "http or tcp, or kind: tcp"))
        }
        return diagnostics
    }

    private static func ports(of check: Record, _ name: String) -> [Diagnostic] {
        ["tcp", "postgresql"].compactMap { kind in
            guard let probe = check.record(kind), probe.has("port") else { return nil }
            return probe.position(of: "port").error(
                "pools.\(name).check.\(kind).port: servers of a pool are checked at their own port",
                "leave it out; it is for the checks of names")
        }
    }
}
