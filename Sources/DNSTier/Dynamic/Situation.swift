import Steering

/// Candidates that are answered together.
struct AnswerRow: Hashable, Sendable {
    /// Positions among the leaves.
    let candidates: [Int]
    /// The first is better for the client than the next; else they are alike, and any may come first.
    let isRanked: Bool
}

/// One state of health of one plan: what each class of clients is answered with, as places in rows of answers. All names
/// that follow the plan in this state share it, each with rows of its own.
@safe
final class Situation: Sendable {
    /// Lists of candidates that are answered together. A row of a name's answers belongs to each.
    let rows: [AnswerRow]
    /// Whether some class is answered with candidates that are all unhealthy.
    let failOpen: Bool
    /// Whether any candidate is unhealthy.
    let isDegraded: Bool
    /// Whether any candidate stands as it was, and nothing that is heard now confirms it.
    let isStale: Bool
    /// The part of the answers that tries candidates of which little is known: 0 ... 1.
    let explored: Double
    /// Whether all clients are of one class.
    let isUniform: Bool
    /// What lies between the choices of one view of health and those of the next, 0 where one view is for all types.
    let viewStride: Int
    let memory: View

    @safe
    struct View: @unchecked Sendable {
        /// One for each class, those of the first view before those of the next.
        let choices: UnsafeMutablePointer<FlatChoice>
        let variants: UnsafeMutablePointer<FlatVariant>
    }

    /// `views`: as in `NameHealth`.
    init(_ plan: SteeringPlan, _ views: [[CandidateHealth]], spill: SpillShares) {
        let classes = views.flatMap { plan.evaluate($0, spill: spill) }
        var rows: [AnswerRow] = []
        var known: [AnswerRow: UInt32] = [:]
        var choices: [FlatChoice] = []
        var variants: [FlatVariant] = []
        for answer in classes {
            choices.append(
                FlatChoice(
                    variants: UInt32(variants.count), count: UInt32(answer.variants.count),
                    total: answer.isHashed ? 0 : answer.total))
            for (index, variant) in answer.variants.enumerated() {
                let list = AnswerRow(candidates: variant.candidates, isRanked: variant.isRanked)
                let row = known[list] ?? UInt32(rows.count)
                if row == rows.count {
                    known[list] = row
                    rows.append(list)
                }
                variants.append(
                    answer.isHashed
                        ? FlatVariant(key: variant.key, inverseWeight: 1 / Float(answer.weight(of: index)), row: row)
                        : FlatVariant(cumulative: variant.cumulative, row: row))
            }
        }
        self.rows = rows
        failOpen = classes.contains(where: \.failOpen)
        isDegraded = views.joined().contains { !$0.ordered.healthy }
        isStale = views.joined().contains(where: \.stale)
        let classCount = classes.count / views.count
        explored = plan.exploredShare(Array(classes.prefix(classCount)))
        isUniform = classCount == 1
        viewStride = views.count == 1 ? 0 : classCount
        unsafe memory = View(choices: FlatMemory.copy(choices), variants: FlatMemory.copy(variants))
    }

    deinit {
        unsafe memory.choices.deallocate()
        unsafe memory.variants.deallocate()
    }
}
