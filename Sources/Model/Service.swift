/// Something that regions offer and whose health is federated: `shop`, `orders-db`. A service is implemented in a region
/// by the pools that name it.
package struct Service: Sendable, Hashable {
    package let name: String
    /// Services that must be healthy in the same region for this one to be.
    package let dependsOn: [ServiceID]
    /// The share of endpoints, in percent (1 ... 100), that must be up.
    package let threshold: Int
    /// The role that at least one endpoint must hold, for databases.
    package let requires: Role

    package init(name: String, dependsOn: [ServiceID], threshold: Int, requires: Role) {
        self.name = name
        self.dependsOn = dependsOn
        self.threshold = threshold
        self.requires = requires
    }
}

/// What a database endpoint may be asked to be.
package enum Role: String, Sendable, Hashable, CaseIterable {
    case primary
    case replica
    case any
}
