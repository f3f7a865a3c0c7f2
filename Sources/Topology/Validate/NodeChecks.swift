import Model

/// Nodes have an address, an admin API that is safe, and ports of their own.
enum NodeChecks {
    static func run(on root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for region in root.records("regions") {
            let place = region.record.section("location")
            if place.has("latitude") != place.has("longitude") {
                diagnostics.append(
                    place.position.error(
                        "regions.\(region.name).location has only one of 'latitude' and 'longitude'", "write both"))
            }
        }
        for node in root.records("nodes") { diagnostics += check(node.name, node.record, root) }
        return diagnostics + PortClashes.find(in: root)
    }

    private static func check(_ name: String, _ node: Record, _ root: Record) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        if !node.has("address"), let region = node.optionalText("region"),
            let place = root.records("regions").first(where: { $0.name == region }), !place.record.has("address")
        {
            diagnostics.append(
                node.position.error(
                    "nodes.\(name) has no 'address'",
                    "an IPv4 or IPv6 address here, or one for all nodes of regions.\(region)"))
        }
        if let admin = node.socketAddress("admin"), !admin.address.isLoopback, !node.has("adminToken") {
            diagnostics.append(
                node.position(of: "admin").error(
                    "nodes.\(name).admin: \(admin) is not a loopback address and there is no 'adminToken'",
                    "write adminToken: {env: NAME}, or listen on 127.0.0.1"))
        }
        if let federation = node.socketAddress("federation"), federation.address.isUnspecified {
            diagnostics.append(
                node.position(of: "federation").error(
                    "nodes.\(name).federation: peers cannot reach \(federation.address)",
                    "the address at which other nodes fetch its reports"))
        }
        let log = node.section("log")
        if log.has("explain"), let tier = node.optionalText("tier"), tier != Tier.dns.rawValue {
            diagnostics.append(
                log.position(of: "explain").error(
                    "nodes.\(name).log.explain: a node of tier \(tier) has no dynamic names to explain",
                    "write it for DNS nodes"))
        }
        return diagnostics
    }
}

/// Two listeners at one address and port.
private enum PortClashes {
    /// What certainly is one machine. Nodes with different addresses may well be different ones, so a loopback address
    /// that two of them share is no clash, unless the nodes are on loopback themselves.
    private enum Machine: Hashable {
        case this
        case at(IPAddress)
        case of(node: String)

        init(node: String, address: IPAddress) {
            self = address.isLoopback ? .this : address.isUnspecified ? .of(node: node) : .at(address)
        }
    }

    private struct Place: Hashable {
        let machine: Machine
        let port: UInt16
    }

    private struct Use {
        let node: String
        let address: IPAddress
        let what: String
        let position: Position
        /// Where the node says what makes it listen there.
        let nodePosition: Position

        func meets(_ other: Use) -> Bool {
            address == other.address || address.isUnspecified || other.address.isUnspecified
        }
    }

    static func find(in root: Record) -> [Diagnostic] {
        var uses: [Place: [Use]] = [:]
        var diagnostics: [Diagnostic] = []
        for node in root.records("nodes") {
            guard let address = Compiler.address(of: node.record, in: root) else { continue }
            let machine = Machine(node: node.name, address: address)
            for (what, at, position) in listeners(of: node.name, node.record, address, root) where at.port != 0 {
                let place = Place(machine: machine, port: at.port)
                let use = Use(
                    node: node.name, address: at.address, what: what, position: position,
                    nodePosition: node.record.position(of: "address"))
                // The first that it meets is enough to say.
                if let other = uses[place]?.first(where: use.meets) {
                    // Listeners are shared by the nodes of a tier: between two nodes it is the nodes that clash.
                    let isOneNode = use.node == other.node
                    let here = isOneNode ? use.position : use.nodePosition
                    let there = isOneNode ? other.position : other.nodePosition
                    diagnostics.append(
                        here.error(
                            "\(what): \(at) is taken by \(other.what) (\(there.text))", "another port or address"))
                }
                uses[place, default: []].append(use)
            }
        }
        return diagnostics
    }

    /// Everything that the node listens on. Listeners of a tier are many nodes' at once; the clash is shown at the node.
    private static func listeners(
        of name: String, _ node: Record, _ address: IPAddress, _ root: Record
    ) -> [(what: String, at: SocketAddress, position: Position)] {
        var result: [(String, SocketAddress, Position)] = []
        switch node.text("tier") {
        case "dns":
            let dns = root.section("dns")
            let position = node.position(of: "address")
            result.append(("dns.port of nodes.\(name)", SocketAddress(address, port: dns.port("port")), position))
            if let proxy = dns.record("proxy") {
                result.append(
                    ("dns.proxy.port of nodes.\(name)", SocketAddress(address, port: proxy.port("port")), position))
            }
        case "l7", "l4":
            let section = node.text("tier") == "l7" ? "http" : "tcp"
            for listener in root.section(section).records("listeners") {
                result.append(
                    (
                        "\(section).listeners.\(listener.name) of nodes.\(name)",
                        SocketAddress(address, port: listener.record.port("port")),
                        listener.record.position(of: "port")
                    ))
            }
        default: break
        }
        for key in ["admin", "federation"] {
            guard let at = node.socketAddress(key) else { continue }
            result.append(("nodes.\(name).\(key)", at, node.position(of: key)))
        }
        return result
    }
}
