import Synchronization

/// An immutable table that the control plane replaces and the workers read. A worker holds its own strong reference and
/// compares the generation once per loop turn: no retain, no lock per query.
package final class Published<Value: AnyObject & Sendable>: Sendable {
    private let counter = Atomic<UInt64>(1)
    private let value: Mutex<Value>

    package init(_ value: Value) { self.value = Mutex(value) }

    /// Grows with each `publish`; never 0.
    package var generation: UInt64 { counter.load(ordering: .acquiring) }

    package func load() -> Value { value.withLock { $0 } }

    package func publish(_ next: Value) {
        value.withLock { $0 = next }
        counter.add(1, ordering: .releasing)
    }
}
