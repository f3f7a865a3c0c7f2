/// What a value may be.
indirect enum Shape: Sendable {
    case scalar(ScalarKind)
    case record(RecordSchema)
    /// Names of the reader's choosing, each with a value.
    case map(ScalarKind, Shape, atLeast: Int)
    case list(Shape, atLeast: Int)
    /// One value, or a list of them.
    case oneOrMany(ScalarKind)
    /// A scalar, or a map for those who need to say more.
    case either(ScalarKind, RecordSchema)

    static func map(_ key: ScalarKind, _ value: Shape) -> Shape { .map(key, value, atLeast: 0) }
    static func list(_ item: Shape) -> Shape { .list(item, atLeast: 0) }
    static func durations(_ range: ClosedRange<Duration>) -> Shape { .scalar(.duration(range)) }
}

/// A map with known keys.
struct RecordSchema: Sendable {
    /// What the documents call it.
    let title: String
    let summary: String
    let keys: [Key]
    /// When not empty, exactly one of these keys is present.
    let oneOf: [String]
    /// Secrets are never repeated in diagnostics.
    let isSecret: Bool

    init(_ title: String, _ summary: String, oneOf: [String] = [], isSecret: Bool = false, _ keys: [Key]) {
        self.title = title
        self.summary = summary
        self.keys = keys
        self.oneOf = oneOf
        self.isSecret = isSecret
    }

    struct Key: Sendable {
        let name: String
        let shape: Shape
        let presence: Presence
        let summary: String

        init(_ name: String, _ shape: Shape, _ presence: Presence, _ summary: String) {
            self.name = name
            self.shape = shape
            self.presence = presence
            self.summary = summary
        }

        init(_ name: String, _ scalar: ScalarKind, _ presence: Presence, _ summary: String) {
            self.init(name, .scalar(scalar), presence, summary)
        }

        init(_ name: String, _ shape: Shape, _ summary: String) { self.init(name, shape, .optional, summary) }

        init(_ name: String, _ scalar: ScalarKind, _ summary: String) {
            self.init(name, .scalar(scalar), .optional, summary)
        }
    }

    enum Presence: Sendable {
        case required
        /// Absent means that the thing is not there.
        case optional
        /// The text that stands for an absent scalar.
        case standard(String)
        /// The default depends on something else; the text says on what.
        case derived(String)
        /// An absent record is one without keys: its own defaults apply.
        case filled
    }

    func key(_ name: String) -> Key? { keys.first { $0.name == name } }
}
