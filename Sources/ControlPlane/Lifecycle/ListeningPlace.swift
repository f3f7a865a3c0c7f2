package import Engine
package import Model
package import Topology

/// Where a node listens, and the key that says so.
package struct ListeningPlace: Sendable, Hashable {
    package let key: String
    package let address: SocketAddress
    package let kind: Socket.Kind

    /// What a listener occupies, whatever it is called.
    package struct Spot: Sendable, Hashable {
        let address: SocketAddress
        let kind: Socket.Kind

        package init(_ place: ListeningPlace) { (address, kind) = (place.address, place.kind) }
    }

    /// All of one node.
    package static func all(_ snapshot: Snapshot, node: NodeID) -> [ListeningPlace] {
        let me = snapshot[node]
        var places: [ListeningPlace] = []
        func add(_ key: String, _ address: SocketAddress, _ kinds: [Socket.Kind] = [.stream]) {
            for kind in kinds where address.port != 0 {
                places.append(ListeningPlace(key: key, address: address, kind: kind))
            }
        }
        func at(_ port: UInt16) -> SocketAddress { SocketAddress(me.address, port: port) }
        switch me.tier {
        case .dns:
            add("dns.port", at(snapshot.dns.port), [.datagram, .stream])
            if let proxy = snapshot.dns.conduct.proxy { add("dns.proxy.port", at(proxy.port), [.datagram, .stream]) }
        case .l7:
            for listener in snapshot.http.listeners { add("http.listeners.\(listener.name).port", at(listener.port)) }
        case .l4:
            for listener in snapshot.tcp.listeners { add("tcp.listeners.\(listener.name).port", at(listener.port)) }
        }
        if let admin = me.admin { add("nodes.\(me.name).admin", admin) }
        if let federation = me.federation { add("nodes.\(me.name).federation", federation) }
        return places
    }

    /// Looks whether each of `places` could be had by one process alone: our listeners share their ports among workers, and
    /// would share them with any other process of this user without a word.
    ///
    /// - Throws: every place that is taken or cannot be had.
    package static func vet(_ places: [ListeningPlace], topology: String) throws(InvalidTopology) {
        var problems: [Diagnostic] = []
        for place in places {
            do throws(SocketError) {
                try Socket.tryAlone(place.address, place.kind)
            } catch {
                problems.append(Diagnostic(file: topology, message: "\(place.key): \(error)"))
            }
        }
        if !problems.isEmpty { throw InvalidTopology(diagnostics: problems) }
    }
}
