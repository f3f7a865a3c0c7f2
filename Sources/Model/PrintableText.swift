extension String {
    /// This text on one line, without anything that a terminal acts upon or that turns text around: white space of all
    /// kinds becomes a blank, other control and format characters (Unicode Cc, Cf, Zl, Zp) become U+FFFD.
    ///
    /// For what strangers wrote (a server's error, a peer's reason) before it is kept or shown. The same for a text that is
    /// printable already.
    package var printable: String {
        if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return self }
        guard unicodeScalars.contains(where: { $0.printable != $0 }) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars { text.append(scalar.printable) }
        return String(text)
    }

    /// A stranger's octets as `printable` text of at most `limit` octets of UTF-8, cut at a character.
    package init(plain octets: some Collection<UInt8>, atMost limit: Int) {
        // Room for a character that the end cuts in two, which would count as one that is none.
        let text = String(decoding: octets.prefix(limit + 4), as: UTF8.self).printable
        var plain = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= limit else { break }
            plain.append(scalar)
        }
        self = String(plain)
    }
}

extension Unicode.Scalar {
    /// Itself, a blank, or U+FFFD.
    package var printable: Unicode.Scalar {
        switch properties.generalCategory {
        case .control where ("\t"..."\r").contains(self) || self == "\u{85}": " "
        case .lineSeparator, .paragraphSeparator: " "
        case .control, .format: "\u{FFFD}"
        default: self
        }
    }
}
