import DNSWire

/// A ready-made answer in flat memory: 32 octets, and its octets and pointers elsewhere in the same store.
struct FlatAnswer {
    /// Where its octets begin in the store.
    var octets: UInt32
    var length: UInt32
    /// Where its pointers begin in the store.
    var pointers: UInt32
    var pointerCount: UInt16
    /// Octets of the name that it is laid out for; a longer question moves the pointers.
    var suffixLength: UInt16
    /// The flags of the reply's header, QR included, in host order.
    var flags: UInt16
    /// The extended code, for counters and the log: 0 ... 15 here.
    var code: UInt16
    /// Counts of answer, authority and additional records, in host order.
    var answers: UInt16
    var authorities: UInt16
    var additionals: UInt16
}

/// One word for a compression pointer: its position in the answer's octets, and in the top bit whether it points at the
/// whole name of the question.
enum FlatPointer {
    static let questionBit: UInt32 = 0x8000_0000
}

/// Grows a store of ready-made answers; equal ones are kept once.
struct AnswerStoreBuilder {
    private(set) var answers: [FlatAnswer] = []
    private(set) var octets: [UInt8] = []
    private(set) var pointers: [UInt32] = []
    private var known: [Key: UInt32] = [:]

    private struct Key: Hashable {
        let suffixLength: Int
        let octets: [UInt8]
        let code: ResponseCode
        let isAuthoritative: Bool
        let pointers: [SectionWriter.Pointer]
        let counts: [UInt16]
    }

    /// - Returns: the index of the answer in the store.
    mutating func add(_ answer: ComposedAnswer) -> UInt32 {
        let key = Key(
            suffixLength: answer.suffix.wire.count, octets: answer.octets, code: answer.code,
            isAuthoritative: answer.isAuthoritative, pointers: answer.pointers, counts: answer.counts)
        if let index = known[key] { return index }
        let index = UInt32(answers.count)
        let flags = HeaderFlag.response | (answer.isAuthoritative ? HeaderFlag.authoritative : 0) | answer.code.rawValue
        answers.append(
            FlatAnswer(
                octets: UInt32(octets.count), length: UInt32(answer.octets.count), pointers: UInt32(pointers.count),
                pointerCount: UInt16(truncatingIfNeeded: answer.pointers.count),
                suffixLength: UInt16(answer.suffix.wire.count), flags: flags, code: answer.code.rawValue,
                answers: answer.counts[0], authorities: answer.counts[1], additionals: answer.counts[2]))
        octets += answer.octets
        pointers += answer.pointers.map { UInt32($0.position) | ($0.isQuestion ? FlatPointer.questionBit : 0) }
        known[key] = index
        return index
    }

    func freeze() -> AnswerStore { AnswerStore(answers: answers, octets: octets, pointers: pointers) }
}

/// Ready-made answers in memory that never moves or changes.
final class AnswerStore: Sendable {
    let view: View

    /// Bare pointers into a store, for the data path; valid while the store is.
    @safe
    struct View: @unchecked Sendable {
        let answers: UnsafeMutablePointer<FlatAnswer>
        let octets: UnsafeMutableRawPointer
        let pointers: UnsafeMutablePointer<UInt32>
    }

    let answerCount: Int
    /// What the store takes.
    let memorySize: Int

    init(answers: [FlatAnswer], octets: [UInt8], pointers: [UInt32]) {
        unsafe self.view = View(
            answers: FlatMemory.copy(answers), octets: UnsafeMutableRawPointer(FlatMemory.copy(octets)),
            pointers: FlatMemory.copy(pointers))
        self.answerCount = answers.count
        self.memorySize = answers.count * MemoryLayout<FlatAnswer>.stride + octets.count + 4 * pointers.count
    }

    deinit {
        unsafe view.answers.deallocate()
        unsafe view.octets.deallocate()
        unsafe view.pointers.deallocate()
    }
}

/// Memory outside of Swift's arrays: read without reference counting or bounds, by code that is confined to this folder.
enum FlatMemory {
    /// A copy of plain values at an address of its own, owned by the caller, never empty.
    static func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        unsafe elements.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { unsafe memory.initialize(from: base, count: buffer.count) }
        }
        return unsafe memory
    }
}
