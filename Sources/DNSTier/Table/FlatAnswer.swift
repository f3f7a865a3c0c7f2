import DNSWire

/// A ready-made answer in flat memory: 32 octets, and behind them in the same block its octets and pointers.
struct FlatAnswer {
    /// Where its octets begin, counted from here.
    var octets: UInt32
    var length: UInt32
    /// Where its pointers begin, counted from here. Behind them are, when it has `turns`, the places of its octets at which
    /// it may turn, and where the last of the records that turn ends.
    var pointers: UInt32
    var pointerCount: UInt16
    /// Octets of the name that it is laid out for; a longer question moves the pointers.
    var suffixLength: UInt16
    /// The flags of the reply's header, QR included, in host order.
    var flags: UInt16
    /// The extended code, for counters and the log: 0 ... 15 here.
    var code: UInt8
    /// How many of its records may come first; 0 when they stand in one order alone.
    var turns: UInt8 = 0
    /// Counts of answer, authority and additional records, in host order.
    var answers: UInt16
    var authorities: UInt16
    var additionals: UInt16
    /// What is wrong with it, as an extended error (RFC 8914); 0, which says nothing, is never told. Looked at on rare
    /// paths only: tables with such answers send every query there.
    var trouble: UInt16 = 0
    /// Where the same answer with its signatures stands, counted from here; 0 while there is none. Room for signed zones:
    /// what asks for DNSSEC is answered from there, and nothing else moves.
    var signed: UInt32 = 0
}

/// One word for a compression pointer: its position in the answer's octets, and in the top bit whether it points at the
/// whole name of the question.
enum FlatPointer {
    static let questionBit: UInt32 = 0x8000_0000
}

/// How ready-made answers lie in one piece of memory: the answers, their pointers, their octets.
struct AnswerLayout {
    private let pointerStart: Int
    private let octetStart: Int
    /// Octets in all, not 0.
    let size: Int

    init(answers: Int, pointers: Int, octets: Int) {
        pointerStart = answers * MemoryLayout<FlatAnswer>.stride
        octetStart = pointerStart + MemoryLayout<UInt32>.stride * pointers
        size = max((octetStart + octets + 7) / 8 * 8, 8)
    }

    /// `answers`: their octets and pointers count from the first of all; in memory, each counts from itself.
    /// `block`: `size` octets, aligned to 8.
    @unsafe
    func write(_ answers: [FlatAnswer], _ pointers: [UInt32], _ octets: [UInt8], to block: UnsafeMutableRawPointer) {
        let stride = MemoryLayout<FlatAnswer>.stride
        for (index, answer) in answers.enumerated() {
            var answer = answer
            answer.octets += UInt32(octetStart - index * stride)
            answer.pointers = answer.pointers * 4 + UInt32(pointerStart - index * stride)
            unsafe block.storeBytes(of: answer, toByteOffset: index * stride, as: FlatAnswer.self)
        }
        unsafe pointers.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: block + pointerStart, count: bytes.count).copyMemory(
                from: bytes)
        }
        unsafe octets.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: block + octetStart, count: bytes.count).copyMemory(from: bytes)
        }
    }
}

/// Grows a store of ready-made answers; equal ones are kept once.
struct AnswerStoreBuilder {
    /// `octets` and `pointers` count from the first of all here.
    private(set) var answers: [FlatAnswer] = []
    private(set) var octets: [UInt8] = []
    private(set) var pointers: [UInt32] = []
    /// Index of an answer plus one; 0 is empty. A power of two, at most half full.
    private var slots = [UInt32](repeating: 0, count: 16)
    private var hashes: [UInt32] = []

    /// - Returns: the index of the answer in the store.
    mutating func add(_ answer: ComposedAnswer) -> UInt32 {
        let flat = FlatAnswer(answer, octets: octets.count, pointers: pointers.count)
        let words = answer.words
        let hash = Self.hash(flat, answer.octets)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if hashes[index] == hash, isEqual(index, flat, answer.octets, words) { return UInt32(index) }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = UInt32(answers.count + 1)
        answers.append(flat)
        hashes.append(hash)
        octets += answer.octets
        pointers += words
        if answers.count * 2 > slots.count { grow() }
        return UInt32(answers.count - 1)
    }

    mutating func reserve(_ count: Int, octets size: Int) {
        answers.reserveCapacity(count)
        hashes.reserveCapacity(count)
        octets.reserveCapacity(size)
        pointers.reserveCapacity(count)
    }

    private func isEqual(_ index: Int, _ flat: FlatAnswer, _ octets: [UInt8], _ words: [UInt32]) -> Bool {
        let known = answers[index]
        guard known.length == flat.length, known.pointerCount == flat.pointerCount,
            known.suffixLength == flat.suffixLength, known.flags == flat.flags, known.answers == flat.answers,
            known.authorities == flat.authorities, known.additionals == flat.additionals, known.turns == flat.turns
        else { return false }
        let start = Int(known.octets)
        let first = Int(known.pointers)
        return self.octets[start..<(start + octets.count)].elementsEqual(octets)
            && pointers[first..<(first + words.count)].elementsEqual(words)
    }

    private static func hash(_ answer: FlatAnswer, _ octets: [UInt8]) -> UInt32 {
        var hash = FoldedName.seed(length: octets.count) ^ UInt64(answer.suffixLength) << 16 ^ UInt64(answer.flags)
        unsafe octets.withUnsafeBytes { bytes in
            var position = 0
            while position + 8 <= bytes.count {
                hash = unsafe FoldedName.mix(hash, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                position += 8
            }
            while position < bytes.count {
                hash = unsafe FoldedName.mix(hash, UInt64(bytes[position]))
                position += 1
            }
        }
        // Once more, so that what differs in the last octets alone, as addresses do, reaches the low bits too.
        return UInt32(truncatingIfNeeded: FoldedName.mix(hash, hash >> 24))
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for index in answers.indices {
            var slot = Int(hashes[index]) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    private var layout: AnswerLayout {
        AnswerLayout(answers: answers.count, pointers: pointers.count, octets: octets.count)
    }

    /// Octets that `lay` needs.
    var size: Int { layout.size }

    /// `block`: `size` octets, aligned to 8.
    @unsafe
    func lay(at block: UnsafeMutableRawPointer) { unsafe layout.write(answers, pointers, octets, to: block) }
}

extension ComposedAnswer {
    /// The most records of a set that may come first: of more, the first ones.
    static let mostTurns = 255

    var turns: Int { min(max(turning.count - 1, 0), Self.mostTurns) }

    /// Its pointers, and the places where it may turn.
    var words: [UInt32] {
        let places = turns > 0 ? turning.prefix(turns) + turning.suffix(1) : []
        return pointers.map(\.flat) + places.map { UInt32($0) }
    }
}

extension SectionWriter.Pointer {
    var flat: UInt32 { UInt32(position) | (isQuestion ? FlatPointer.questionBit : 0) }
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
