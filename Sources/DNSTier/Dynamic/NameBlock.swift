import DNSWire

/// The ready-made answers of one name for the rows of a situation: one for each row and slot, in one piece of memory.
/// Immutable; names whose rows stay keep theirs when health moves.
@safe
final class NameBlock: Sendable {
    let rows: [AnswerRow]
    /// Addresses that are left out.
    let dead: Set<DeadAddress>
    let ttl: UInt32
    /// The answers say so of themselves where a query can be told (RFC 8914 section 4.4).
    let isStale: Bool
    let memory: View

    @safe
    struct View: @unchecked Sendable {
        let answers: UnsafeMutablePointer<FlatAnswer>
        /// Of each row, what its answers are counted by.
        let kinds: UnsafeMutablePointer<UInt32>
    }

    fileprivate init(rows: [AnswerRow], dead: Set<DeadAddress>, ttl: UInt32, isStale: Bool, memory: View) {
        self.rows = rows
        self.dead = dead
        self.isStale = isStale
        self.ttl = ttl
        self.memory = memory
    }

    deinit {
        unsafe UnsafeMutableRawPointer(memory.answers).deallocate()
        unsafe memory.kinds.deallocate()
    }
}

/// Lays out blocks; its room is used again from one to the next.
struct NameBlockWriter {
    private var answers: [FlatAnswer] = []
    private var octets: [UInt8] = []
    private var pointers: [UInt32] = []

    mutating func block(
        _ name: PreparedName, rows: [AnswerRow], without dead: Set<DeadAddress>, ttl: UInt32, isStale: Bool,
        ledger: AnswerLedger
    ) -> NameBlock {
        answers.removeAll(keepingCapacity: true)
        octets.removeAll(keepingCapacity: true)
        pointers.removeAll(keepingCapacity: true)
        var noData: FlatAnswer?
        for row in rows {
            for slot in 0..<name.slots.count {
                let type = name.slots.type(slot)
                let records = name.records(row.candidates, type: type, without: dead)
                if records.isEmpty {
                    let flat = noData ?? add(name.noData)
                    noData = flat
                    answers.append(flat)
                } else {
                    let turning = row.isRanked ? name.count(records, of: row, type, without: dead) : records.count
                    answers.append(add(name, records, turning: turning, ttl: ttl))
                }
            }
        }
        if isStale {
            for index in answers.indices { answers[index].trouble = ExtendedError.staleAnswer.rawValue }
        }
        let layout = AnswerLayout(answers: answers.count, pointers: pointers.count, octets: octets.count)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: layout.size, alignment: 8)
        unsafe layout.write(answers, pointers, octets, to: memory)
        return unsafe NameBlock(
            rows: rows, dead: dead, ttl: ttl, isStale: isStale,
            memory: NameBlock.View(
                answers: memory.assumingMemoryBound(to: FlatAnswer.self),
                kinds: FlatMemory.copy(rows.map { ledger.number(name.kind(of: $0.candidates)) })))
    }

    private mutating func add(_ answer: ComposedAnswer) -> FlatAnswer {
        let flat = FlatAnswer(answer, octets: octets.count, pointers: pointers.count)
        octets += answer.octets
        pointers += answer.words
        return flat
    }

    /// Records of the question's own name. What has no name to compress, as addresses have none, is written as it stands:
    /// a failure of a region must reach ten thousand names at once.
    ///
    /// `turning`: how many of the records, from the first on, may change places.
    private mutating func add(
        _ name: PreparedName, _ records: [RecordData], turning: Int, ttl: UInt32
    ) -> FlatAnswer {
        guard records.allSatisfy(\.compressibleNames.isEmpty) else {
            var writer = SectionWriter(suffix: name.suffix)
            writer.writeTurning(.answer, owner: .question, ttl: ttl, set: Array(records[..<turning]))
            for data in records[turning...] { writer.write(.answer, owner: .question, ttl: ttl, data: data) }
            return add(ComposedAnswer(writer, code: .noError, isAuthoritative: true))
        }
        let start = octets.count
        let first = pointers.count
        var places: [UInt32] = []
        let turns = turning > 1 ? min(turning, ComposedAnswer.mostTurns) : 0
        for (index, data) in records.enumerated() {
            if index < turns || index == turning { places.append(UInt32(octets.count - start)) }
            pointers.append(UInt32(octets.count - start) | FlatPointer.questionBit)
            append(0xc000 | UInt16(messageHeaderSize))
            append(data.type.rawValue)
            append(1)
            append(UInt16(truncatingIfNeeded: ttl >> 16))
            append(UInt16(truncatingIfNeeded: ttl))
            append(UInt16(truncatingIfNeeded: data.wire.count))
            octets += data.wire
        }
        if turns > 0 {
            if places.count == turns { places.append(UInt32(octets.count - start)) }
            pointers += places
        }
        return FlatAnswer(
            octets: UInt32(start), length: UInt32(octets.count - start), pointers: UInt32(first),
            pointerCount: UInt16(truncatingIfNeeded: records.count),
            suffixLength: UInt16(name.suffix.wire.count), flags: HeaderFlag.response | HeaderFlag.authoritative,
            code: UInt8(ResponseCode.noError.rawValue), turns: UInt8(turns),
            answers: UInt16(truncatingIfNeeded: records.count), authorities: 0, additionals: 0)
    }

    private mutating func append(_ word: UInt16) {
        octets.append(UInt8(truncatingIfNeeded: word >> 8))
        octets.append(UInt8(truncatingIfNeeded: word))
    }
}

extension FlatAnswer {
    /// An answer whose octets and pointers begin at these positions of a store.
    init(_ answer: ComposedAnswer, octets: Int, pointers: Int) {
        let flags = HeaderFlag.response | (answer.isAuthoritative ? HeaderFlag.authoritative : 0) | answer.code.rawValue
        self.init(
            octets: UInt32(octets), length: UInt32(answer.octets.count), pointers: UInt32(pointers),
            pointerCount: UInt16(truncatingIfNeeded: answer.pointers.count),
            suffixLength: UInt16(answer.suffix.wire.count), flags: flags, code: UInt8(answer.code.rawValue),
            turns: UInt8(answer.turns), answers: answer.counts[0], authorities: answer.counts[1],
            additionals: answer.counts[2])
    }
}
