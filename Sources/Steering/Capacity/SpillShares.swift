import Model

/// What `capacity` steps fill candidates with: by chain and class, a part for each member, as the allocator has it.
package struct SpillShares: Sendable, Hashable {
    private struct Key: Hashable {
        let chain: Int
        let classIndex: Int
    }

    private var rows: [Key: [Double]] = [:]

    /// Nobody knows loads: the first that is left takes everything.
    package init() {}

    package mutating func set(_ site: SpillSite, _ shares: [Double]) {
        var row = Array(repeating: 0.0, count: site.memberCount)
        for (member, share) in zip(site.members, shares) { row[member] = share }
        rows[Key(chain: site.chain, classIndex: site.classIndex)] = row
    }

    func row(chain: Int, classIndex: Int) -> [Double]? { rows[Key(chain: chain, classIndex: classIndex)] }
}

/// One class of clients at a `capacity` step: whom it prefers.
package struct SpillSite: Sendable, Hashable {
    let chain: Int
    let classIndex: Int
    /// Positions in the chain's candidates, the most wanted first.
    package let members: [Int]
    /// Of all of the chain's candidates.
    package let memberCount: Int
    /// Of each of `members`: the leaves that carry what it gets.
    package let leaves: [Range<Int>]
    /// Percent of its capacity that a candidate is filled to.
    package let limit: Int

    init(chain: Int, classIndex: Int, order: [Int], _ compiled: CompiledChain) {
        self.chain = chain
        self.classIndex = classIndex
        members = order
        memberCount = compiled.members.count
        leaves = order.map { member in
            switch compiled.members[member] {
            case .leaf(let leaf): leaf..<(leaf + 1)
            case .chain(let inner): inner.leaves
            }
        }
        var limit = 100
        for step in compiled.steps {
            guard case .capacity(let capacity) = step.step else { continue }
            limit = capacity.limit
        }
        self.limit = limit
    }
}
