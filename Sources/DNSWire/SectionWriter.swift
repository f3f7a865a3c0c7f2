/// Writes the sections behind a question ahead of any query, names compressed against the question and each other.
///
/// The question's name is not known then, only a name that it will end with (`suffix`): the name itself for an answer to
/// exactly that name, the closest encloser for one that a wildcard gives, the zone for a negative one. The octets are
/// laid out as if `suffix` stood in the question; `pointers` says where compression pointers stand, so that they can be
/// moved when the real name is longer.
package struct SectionWriter {
    /// A place in `octets` where a compression pointer stands.
    package struct Pointer: Hashable, Sendable {
        package let position: Int
        /// True when it points at the whole name of the question, whatever that is; else it points into `suffix` or at
        /// something in `octets`.
        package let isQuestion: Bool
    }

    package enum Owner: Hashable, Sendable {
        /// The name in the question.
        case question
        case name(Name)
    }

    package enum Section: Int, Sendable {
        case answer
        case authority
        case additional
    }

    package let suffix: Name
    package private(set) var octets: [UInt8] = []
    package private(set) var pointers: [Pointer] = []
    /// Records written, by section.
    package private(set) var counts: [UInt16] = [0, 0, 0]

    /// Where each record of a set begins that may begin with any of them, and where the last one ends; empty when there is no
    /// such set. None of its pointers leads into it, and none from elsewhere.
    package private(set) var turning: [Int] = []
    private var isTurning = false

    /// Folded suffixes and where they stand in the message, were `suffix` in the question; empty until a name is written,
    /// which most answers do without.
    private var known: [ArraySlice<UInt8>: Int] = [:]

    /// A pointer has 14 bits; half of its range is kept free for moving it behind a longer question or an alias.
    private static let lastTarget = 0x1fff

    package init(suffix: Name) {
        self.suffix = suffix
    }

    /// Where the octets begin in a message whose question is `suffix`.
    package var start: Int { messageHeaderSize + suffix.wire.count + 4 }

    /// Appends one record. Sections must come in their order.
    package mutating func write(_ section: Section, owner: Owner, ttl: UInt32, data: RecordData) {
        counts[section.rawValue] += 1
        switch owner {
        case .question: writePointer(to: messageHeaderSize, isQuestion: true)
        case .name(let name): writeName(name.wire[...], folded: name.folded[...])
        }
        append(data.type.rawValue)
        append(1)
        append(UInt16(truncatingIfNeeded: ttl >> 16))
        append(UInt16(truncatingIfNeeded: ttl))
        let lengthPosition = octets.count
        append(0)
        var written = 0
        for range in data.compressibleNames {
            octets += data.wire[written..<range.lowerBound]
            let name = Name(unchecked: Array(data.wire[range]))
            writeName(name.wire[...], folded: name.folded[...])
            written = range.upperBound
        }
        octets += data.wire[written...]
        let length = octets.count - lengthPosition - 2
        octets[lengthPosition] = UInt8(truncatingIfNeeded: length >> 8)
        octets[lengthPosition + 1] = UInt8(truncatingIfNeeded: length)
    }

    /// Appends a set whose records may be told in any order that goes round. At most one in an answer, and nothing that is
    /// compressed may follow it.
    ///
    /// Its names are not compressed against each other then. Where that makes an answer too long for a client without EDNS,
    /// the set stays as it stands.
    package mutating func writeTurning(_ section: Section, owner: Owner, ttl: UInt32, set: [RecordData]) {
        guard set.count > 1 else {
            for data in set { write(section, owner: owner, ttl: ttl, data: data) }
            return
        }
        var plain = self
        for data in set { plain.write(section, owner: owner, ttl: ttl, data: data) }
        isTurning = true
        for data in set {
            turning.append(octets.count)
            write(section, owner: owner, ttl: ttl, data: data)
        }
        turning.append(octets.count)
        isTurning = false
        if octets.count > plain.octets.count, start + octets.count + 11 > 512 { self = plain }
    }

    private mutating func append(_ word: UInt16) {
        octets.append(UInt8(truncatingIfNeeded: word >> 8))
        octets.append(UInt8(truncatingIfNeeded: word))
    }

    private mutating func writePointer(to target: Int, isQuestion: Bool) {
        pointers.append(Pointer(position: octets.count, isQuestion: isQuestion))
        append(0xc000 | UInt16(target))
    }

    private mutating func writeName(_ wire: ArraySlice<UInt8>, folded: ArraySlice<UInt8>) {
        if known.isEmpty { remember(suffix, at: messageHeaderSize) }
        var wire = wire
        var folded = folded
        while let length = wire.first, length != 0 {
            if let target = known[folded] {
                writePointer(to: target, isQuestion: false)
                return
            }
            let position = start + octets.count
            if position <= Self.lastTarget, !isTurning { known[folded] = position }
            octets += wire.prefix(Int(length) + 1)
            wire = wire.dropFirst(Int(length) + 1)
            folded = folded.dropFirst(Int(length) + 1)
        }
        octets.append(0)
    }

    private mutating func remember(_ name: Name, at position: Int) {
        var rest = name.folded[...]
        while let length = rest.first, length != 0 {
            known[rest] = position + rest.startIndex
            rest = rest.dropFirst(Int(length) + 1)
        }
    }
}
