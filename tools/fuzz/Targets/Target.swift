/// Something that reads octets from strangers.
package protocol FuzzTarget {
    /// What corpora are filed under and `--target` names.
    static var name: String { get }
    /// Octets that the target's format gives a meaning to: keywords, marks, numbers at limits.
    static var tokens: [[UInt8]] { get }
    /// Inputs longer than this are cut.
    static var limit: Int { get }

    init() throws

    /// Reads `input`. A trap or a read out of bounds ends the process, which the supervisor notices.
    mutating func run(_ input: [UInt8]) -> Outcome
}

extension FuzzTarget {
    package static var limit: Int { 4096 }
}

package enum Outcome: Sendable, Hashable {
    /// What the input led to, boiled down: inputs that lead to something new are worth mutating further.
    case reached(UInt64)
    /// A promise that was not kept.
    case broken(String)
}

/// Every target, in the order in which they are run.
package enum Targets {
    package static var all: [any FuzzTarget.Type] {
        [
            LocationTarget.self, LatencyTarget.self, MMDBTarget.self, TopologyTarget.self, RequestTarget.self,
            ResponseTarget.self, ChunkedTarget.self, ReportTarget.self, BatchTarget.self, AuthorizationTarget.self,
            QueryTarget.self, OptionsTarget.self, StreamTarget.self, ServiceBindingTarget.self, ZoneTarget.self,
            RecordTextTarget.self, RecordWireTarget.self, MessageTarget.self, StartupTarget.self, SessionTarget.self,
            DatabaseTarget.self, ProxyTarget.self, StateTarget.self, ControlTarget.self, ProxyingTarget.self,
        ]
    }
}

/// Boils facts down to the number in `Outcome.reached` (FNV-1a).
package struct Trail {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func step(_ fact: Int) {
        hash = (hash ^ UInt64(truncatingIfNeeded: fact)) &* 0x0000_0100_0000_01b3
    }

    /// The end of a message, which is the reader's: what it quotes of the input comes before.
    package mutating func step(message: String) {
        for byte in message.utf8.suffix(24) where byte & 0x40 != 0 { step(Int(byte)) }
    }

    package var outcome: Outcome { .reached(hash) }
}

extension String {
    package var octets: [UInt8] { Array(utf8) }
}
