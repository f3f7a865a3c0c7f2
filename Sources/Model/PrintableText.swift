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
