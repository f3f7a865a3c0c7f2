/// What operators may not do to a fleet by mistake, after the assertion and gating rules of Route 53's Application Recovery
/// Controller.
package struct SafetyRule: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// So many of the regions stay on for each subject.
        case atLeast(Int)
        /// Changes need the gate of the rule's name to be open; `isOpen` is what it is unless an override says otherwise.
        case gate(isOpen: Bool)
    }

    package let name: String
    package let kind: Kind
    package let regions: [RegionID]
    /// Services that it is about.
    package let services: [ServiceID]
    /// DNS names that it is about, absolute; with no service and no name it is about every dynamic name.
    package let names: [String]

    package init(name: String, kind: Kind, regions: [RegionID], services: [ServiceID], names: [String]) {
        self.name = name
        self.kind = kind
        self.regions = regions
        self.services = services
        self.names = names
    }

    package var isGate: Bool {
        if case .gate = kind { return true }
        return false
    }
}
