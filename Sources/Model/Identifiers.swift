/// Dense identifiers: positions in the arrays of one `Snapshot`. They mean nothing outside that snapshot; names are what
/// crosses a reload or the network.

package struct RegionID: Hashable, Sendable, Comparable {
    package let index: Int

    package init(_ index: Int) { self.index = index }

    package static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}

package struct NodeID: Hashable, Sendable {
    package let index: Int

    package init(_ index: Int) { self.index = index }
}

package struct ServiceID: Hashable, Sendable {
    package let index: Int

    package init(_ index: Int) { self.index = index }
}

package struct PoolID: Hashable, Sendable {
    package let index: Int

    package init(_ index: Int) { self.index = index }
}

package struct EndpointID: Hashable, Sendable {
    package let index: Int

    package init(_ index: Int) { self.index = index }
}
