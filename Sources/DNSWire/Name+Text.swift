extension Name {
    /// Reads presentation form (RFC 1035 section 5.1): `www.shop.test.`, `a\.b.test.`, `\065.test.`.
    ///
    /// `text`: the octets of the name; a name without a final dot is completed with `origin`.
    /// `origin`: what relative names stand below; nil refuses them.
    package init(text: ArraySlice<UInt8>, origin: Name?) throws(NameError) {
        guard !text.isEmpty else { throw .empty }
        if text.elementsEqual([UInt8(ascii: ".")]) {
            self = .root
            return
        }
        var wire: [UInt8] = []
        wire.reserveCapacity(text.count + 2 + (origin?.wire.count ?? 0))
        // Where the length of the label under way stands.
        var start = 0
        wire.append(0)
        var position = text.startIndex
        var isAbsolute = false
        while position < text.endIndex {
            let octet = text[position]
            if octet == UInt8(ascii: ".") {
                position += 1
                try Self.close(&wire, from: start)
                start = wire.count
                wire.append(0)
                isAbsolute = position == text.endIndex
            } else if octet == UInt8(ascii: "\\") {
                guard let (octet, _) = ASCII.unescape(text, &position) else { throw .badEscape }
                wire.append(octet)
            } else {
                wire.append(octet)
                position += 1
            }
        }
        if !isAbsolute {
            try Self.close(&wire, from: start)
            guard let origin else { throw .relativeWithoutOrigin }
            wire += origin.wire
        }
        guard wire.count <= Self.maximumLength else { throw .nameTooLong }
        self.init(unchecked: wire)
    }

    /// Reads presentation form; a name without a final dot is taken as absolute.
    package init(_ text: String) throws(NameError) {
        try self.init(text: ArraySlice(text.utf8), origin: .root)
    }

    private static func close(_ wire: inout [UInt8], from start: Int) throws(NameError) {
        let length = wire.count - start - 1
        guard length > 0 else { throw .emptyLabel }
        guard length <= maximumLabelLength else { throw .labelTooLong }
        wire[start] = UInt8(length)
    }
}

extension Name: CustomStringConvertible {
    /// Presentation form with the final dot; unusual octets are escaped.
    package var description: String {
        guard !isRoot else { return "." }
        var text = ""
        var position = 0
        while wire[position] != 0 {
            let end = position + Int(wire[position])
            for octet in wire[(position + 1)...end] {
                ASCII.escape(octet, special: ".\\\"();@$ ", to: &text)
            }
            text += "."
            position = end + 1
        }
        return text
    }
}
