/// Which field lines of a head go on to the next hop, and how.
extension HeadWriter {
    /// What is said about the connection that the head goes out on.
    package enum ConnectionLine {
        case none
        case close
        case keepAlive
        /// The connection is to become, or becomes, a tunnel.
        case upgrade
    }

    /// The one place where framing and persistence are written, whatever was received. `length` is left out when the body
    /// is chunked.
    @inline(__always)
    package mutating func append(chunked: Bool, length: UInt64?, connection: ConnectionLine) {
        if chunked {
            append("Transfer-Encoding: chunked\r\n")
        } else if let length {
            append("Content-Length: ")
            append(decimal: length)
            append("\r\n")
        }
        switch connection {
        case .none: break
        case .close: append("Connection: close\r\n")
        case .keepAlive: append("Connection: keep-alive\r\n")
        case .upgrade: append("Connection: upgrade\r\n")
        }
    }

    /// Appends the lines of `fields` that concern more than one connection, neighbouring ones with one copy, and leaves
    /// out those for which `isReplaced` is true because the caller writes them anew, those that Connection lists (RFC 9110
    /// section 7.6.1), and all that frame the message.
    ///
    /// `head` are the octets that were parsed, from their start, and `end` the offset of the empty line. `start` is where the
    /// octets begin that go on in front of the first field: 0 takes the start line along as it is.
    /// `dropsUnderscores` leaves out names with an underscore.
    @inline(__always)
    package mutating func append(
        _ fields: FieldTable, of head: RawSpan, from start: Int?, end: Int, dropsUnderscores: Bool,
        isReplaced: (FieldName) -> Bool
    ) {
        let hasOptions = fields.hasOptions
        var runStart = start ?? -1
        for index in 0..<fields.count {
            let field = fields[index]
            var keeps: Bool
            if field.id == .other {
                keeps = !(dropsUnderscores && field.hasUnderscore)
                if hasOptions, keeps { keeps = !fields.lists(field.name, head) }
            } else {
                keeps = !field.id.isOfThisHop && !isReplaced(field.id)
            }
            if keeps, !field.isIrregular {
                if runStart < 0 { runStart = field.name.start }
                continue
            }
            if runStart >= 0 {
                append(head, Slice(runStart, field.name.start))
                runStart = -1
            }
            if keeps { appendRegular(field, of: head) }
        }
        if runStart >= 0 { append(head, Slice(runStart, end)) }
    }

    private mutating func appendRegular(_ field: Field, of head: RawSpan) {
        append(head, field.name)
        append(": ")
        append(head, field.value)
        append("\r\n")
    }
}
