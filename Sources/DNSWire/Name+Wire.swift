/// Why octets are not a DNS message.
package enum WireError: Error, Hashable {
    /// The message ends before what it promises.
    case truncated
    /// A label type other than a plain label or a pointer (RFC 1035 section 4.1.4, RFC 6891 section 5).
    case badLabel
    /// A compression pointer that does not point strictly backwards, which every honest one does.
    case badPointer
    case nameTooLong
    /// Record data that does not fit its type.
    case badRecordData
}

extension Name {
    /// Reads a name at `position`, following compression pointers (RFC 1035 section 4.1.4).
    ///
    /// Each pointer must point before the place where the labels that led to it began, so that any chain ends, and the
    /// name may not grow over 255 octets, so that a short message cannot ask for much work.
    ///
    /// - Returns: the name; `position` is moved behind its first, in-place part.
    package static func read(_ message: RawSpan, at position: inout Int) throws(WireError) -> Name {
        var wire: [UInt8] = []
        var cursor = position
        var floor = position
        var end: Int?
        while true {
            guard cursor < message.byteCount else { throw .truncated }
            let length = Int(message.octet(at: cursor))
            switch length & 0xc0 {
            case 0x00:
                guard cursor + length < message.byteCount else { throw .truncated }
                guard wire.count + length + 1 <= maximumLength else { throw .nameTooLong }
                for index in cursor...(cursor + length) { wire.append(message.octet(at: index)) }
                cursor += length + 1
                if length == 0 {
                    position = end ?? cursor
                    return Name(unchecked: wire)
                }
            case 0xc0:
                guard cursor + 1 < message.byteCount else { throw .truncated }
                let target = (length & 0x3f) << 8 | Int(message.octet(at: cursor + 1))
                guard target < floor else { throw .badPointer }
                end = end ?? cursor + 2
                floor = target
                cursor = target
            default:
                throw .badLabel
            }
        }
    }
}

extension RawSpan {
    /// The octet at `offset`, which must be in bounds (checked).
    func octet(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The 16-bit number in network order at `offset`, in bounds (checked).
    func word(at offset: Int) -> UInt16 {
        precondition(offset >= 0 && offset + 2 <= byteCount)
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
    }

    /// The 32-bit number in network order at `offset`, in bounds (checked).
    func long(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset + 4 <= byteCount)
        return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }
}
