package import Federation
package import Health
package import Model

/// What a node keeps over a restart: how things stood, what operators said, and what peers said last.
package struct SavedState: Sendable, Hashable {
    package struct Heard: Sendable, Hashable {
        package var signed: SignedReport
        package var heardAt: Timestamp

        package init(signed: SignedReport, heardAt: Timestamp) {
            self.signed = signed
            self.heardAt = heardAt
        }
    }

    package var node: String
    package var savedAt: Timestamp
    package var verdicts: [RememberedVerdict]
    package var overrides: [Override]
    package var reports: [Heard]
    /// The highest timelines that databases ever told.
    package var timelines: [ClusterTimeline]

    package init(
        node: String, savedAt: Timestamp, verdicts: [RememberedVerdict], overrides: [Override], reports: [Heard],
        timelines: [ClusterTimeline] = []
    ) {
        self.node = node
        self.savedAt = savedAt
        self.verdicts = verdicts
        self.overrides = overrides
        self.reports = reports
        self.timelines = timelines
    }
}

/// Why a state file was not used.
package enum StateProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is none, as before the first start.
    case missing
    case unreadable(String)
    case unwritable(String)
    /// Another program's file.
    case alien
    case version(String)
    /// Another node's file.
    case node(String)
    case tooLarge(Int)
    case damaged(String)

    package var description: String {
        switch self {
        case .missing: "there is none yet"
        case .unreadable(let reason): "it cannot be read: \(reason)"
        case .unwritable(let reason): reason
        case .alien: "it is no state file of Meridian"
        case .version(let version): "it is of version \(version), and this program reads version \(StateCodec.version)"
        case .node(let name): "it is the state of node \(name)"
        case .tooLarge(let size): "it has \(size) octets, more than \(StateCodec.limit)"
        case .damaged(let what): "it is damaged: \(what)"
        }
    }

    /// Whether the file is ours to write over. What belongs to others is left alone.
    package var isOurs: Bool {
        switch self {
        case .missing, .damaged: true
        case .unreadable, .unwritable, .alien, .version, .node, .tooLarge: false
        }
    }
}
