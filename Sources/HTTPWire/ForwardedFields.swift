/// Which field lines of a head go on to the next hop, and how.
extension HeadWriter {
    /// Appends the lines of `fields` that concern more than one connection, neighbouring ones with one copy, and leaves
    /// out those for which `isReplaced` is true because the caller writes them anew.
    ///
    /// `head` are the octets that were parsed, from their start, and `end` the offset of the empty line. `start` is where the
    /// octets begin that go on in front of the first field: 0 takes the start line along as it is. `hasOptions` says that
    /// Connection lists further fields, which are left out too (RFC 9110 section 7.6.1).
    @inline(__always)
    package mutating func append(
        _ fields: FieldTable, of head: UnsafeRawBufferPointer, from start: Int?, end: Int, hasOptions: Bool,
        keepsTransferEncoding: Bool, isReplaced: (FieldName) -> Bool
    ) {
        var runStart = start ?? -1
        for index in 0..<fields.count {
            let field = fields[index]
            var keeps: Bool
            if field.id == .other {
                keeps = !field.hasUnderscore
            } else if field.id == .transferEncoding {
                keeps = keepsTransferEncoding
            } else {
                keeps = !field.id.isHopByHop && !isReplaced(field.id)
            }
            if hasOptions, keeps, field.id == .other {
                keeps = unsafe !Self.isListed(field.name, in: fields, head.bytes)
            }
            if keeps, !field.isIrregular {
                if runStart < 0 { runStart = field.name.start }
                continue
            }
            if runStart >= 0 {
                unsafe append(UnsafeRawBufferPointer(rebasing: head[runStart..<field.name.start]))
                runStart = -1
            }
            if keeps { unsafe appendRegular(field, of: head) }
        }
        if runStart >= 0 { unsafe append(UnsafeRawBufferPointer(rebasing: head[runStart..<end])) }
    }

    private mutating func appendRegular(_ field: Field, of head: UnsafeRawBufferPointer) {
        unsafe append(UnsafeRawBufferPointer(rebasing: head[field.name.start..<field.name.end]))
        append(": ")
        unsafe append(UnsafeRawBufferPointer(rebasing: head[field.value.start..<field.value.end]))
        append("\r\n")
    }

    /// Whether a Connection field lists `name`.
    private static func isListed(_ name: Slice, in fields: FieldTable, _ bytes: RawSpan) -> Bool {
        for index in 0..<fields.count {
            let field = fields[index]
            guard field.id == .connection else { continue }
            var list = TokenList(field.value)
            while let option = list.next(bytes) {
                if bytes.equals(option, name) { return true }
            }
        }
        return false
    }
}
