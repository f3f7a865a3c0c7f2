import Model
import Synchronization

/// What was observed, in order, with the time since the world was ready.
package final class Timeline: Sendable {
    package struct Entry: Sendable {
        /// Since the start of the story.
        package let time: Duration
        /// 1 ... 6: the chapter of the story.
        package let step: Int
        package let text: String
        /// How long it took to be observed, and the longest that is allowed.
        package let took: Duration?
        package let limit: Duration?
        package let passed: Bool

        package var line: String {
            var line = pad("\(time.milliseconds)", 6) + " ms  (\(step)) " + (passed ? "" : "NOT OBSERVED: ") + text
            if let took { line += ": \(took.milliseconds) ms" }
            if let limit { line += " (limit \(limit.milliseconds))" }
            return line
        }

        private func pad(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
    }

    private let start = ContinuousClock.now
    private let list = Mutex<[Entry]>([])
    private let sink: @Sendable (Entry) -> Void

    /// - Parameter sink: Told of each entry as it happens.
    package init(_ sink: @escaping @Sendable (Entry) -> Void = { _ in }) { self.sink = sink }

    package var entries: [Entry] { list.withLock { $0 } }

    func note(_ step: Int, _ text: String, took: Duration? = nil, limit: Duration? = nil, passed: Bool = true) {
        let entry = Entry(
            time: ContinuousClock.now - start, step: step, text: text, took: took, limit: limit, passed: passed)
        list.withLock { $0.append(entry) }
        sink(entry)
    }
}
