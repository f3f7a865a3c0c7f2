/// A validated, compiled topology: immutable, with dense ids. Everything that a node does follows from one of these.
package struct Snapshot: Sendable {
    /// The first 64 bits of SHA-256 over the topology's text: equal files have equal fingerprints.
    package let fingerprint: UInt64
    package let regions: [Region]
    package let nodes: [Node]
    package let services: [Service]
    package let pools: [Pool]
    package let endpoints: [Endpoint]
    package let dns: DNSPlan
    package let http: HTTPPlan
    package let tcp: TCPPlan
    package let federation: FederationPlan
    package let safety: [SafetyRule]
    /// Where each secret is named first.
    package let secretPlaces: [Secret: SourcePlace]

    package init(
        fingerprint: UInt64, regions: [Region], nodes: [Node], services: [Service], pools: [Pool],
        endpoints: [Endpoint], dns: DNSPlan, http: HTTPPlan, tcp: TCPPlan, federation: FederationPlan,
        safety: [SafetyRule] = [], secretPlaces: [Secret: SourcePlace] = [:]
    ) {
        self.fingerprint = fingerprint
        self.regions = regions
        self.nodes = nodes
        self.services = services
        self.pools = pools
        self.endpoints = endpoints
        self.dns = dns
        self.http = http
        self.tcp = tcp
        self.federation = federation
        self.safety = safety
        self.secretPlaces = secretPlaces
    }

    package subscript(id: RegionID) -> Region { regions[id.index] }
    package subscript(id: NodeID) -> Node { nodes[id.index] }
    package subscript(id: ServiceID) -> Service { services[id.index] }
    package subscript(id: PoolID) -> Pool { pools[id.index] }
    package subscript(id: EndpointID) -> Endpoint { endpoints[id.index] }

    package func node(named name: String) -> NodeID? {
        nodes.firstIndex { $0.name == name }.map(NodeID.init)
    }

    package func region(named name: String) -> RegionID? {
        regions.firstIndex { $0.name == name }.map(RegionID.init)
    }

    package func service(named name: String) -> ServiceID? {
        services.firstIndex { $0.name == name }.map(ServiceID.init)
    }

    /// The endpoints of `pool` that stand in `region`.
    package func endpoints(of pool: PoolID, in region: RegionID) -> [EndpointID] {
        self[pool].endpoints.filter { self[$0].region == region }
    }
}
