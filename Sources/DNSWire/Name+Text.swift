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
        var label: [UInt8] = []
        var position = text.startIndex
        var isAbsolute = false
        while position < text.endIndex {
            guard let (octet, escaped) = ASCII.unescape(text, &position) else { throw .badEscape }
            guard octet == UInt8(ascii: "."), !escaped else {
                label.append(octet)
                continue
            }
            try Self.close(&label, into: &wire)
            isAbsolute = position == text.endIndex
        }
        if isAbsolute {
            wire.append(0)
        } else {
            try Self.close(&label, into: &wire)
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

    private static func close(_ label: inout [UInt8], into wire: inout [UInt8]) throws(NameError) {
        guard !label.isEmpty else { throw .emptyLabel }
        guard label.count <= maximumLabelLength else { throw .labelTooLong }
        wire.append(UInt8(label.count))
        wire += label
        label.removeAll(keepingCapacity: true)
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
