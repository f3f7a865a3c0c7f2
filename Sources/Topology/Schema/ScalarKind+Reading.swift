import Model

/// The readers behind `ScalarKind.read`. All of them are total: any text is either understood or refused.
extension ScalarKind {
    static let sizeUnits: [(suffix: String, factor: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1),
    ]

    static func integer(_ text: String, in range: ClosedRange<Int>) -> Int? {
        guard isDigits(text.hasPrefix("-") ? text.dropFirst() : text[...]), let value = Int(text) else { return nil }
        return range.contains(value) ? value : nil
    }

    static func number(_ text: String, in range: ClosedRange<Double>) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }), let value = Double(text)
        else { return nil }
        return range.contains(value) ? value : nil
    }

    /// Digits and one of the unit suffixes.
    static func quantity(
        _ text: String, units: [(suffix: String, factor: Int)], in range: ClosedRange<Int>
    ) -> Int? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let digits = text.dropLast(unit.suffix.count)
        guard isDigits(digits), let count = Int(digits) else { return nil }
        let (value, overflow) = count.multipliedReportingOverflow(by: unit.factor)
        return !overflow && range.contains(value) ? value : nil
    }

    static func timeToLive(_ text: String) -> Duration? {
        guard let value = Duration(text: text, in: .zero ... .seconds(Int(Int32.max))),
            value.components.attoseconds == 0
        else { return nil }
        return value
    }

    static func statuses(_ text: String) -> ClosedRange<Int>? {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let low = integer(String(parts[0]), in: 100...599) else { return nil }
        guard parts.count == 2 else { return low...low }
        guard let high = integer(String(parts[1]), in: low...599) else { return nil }
        return low...high
    }

    static func hostPattern(_ text: String) -> String? {
        if text == "*" { return text }
        if text.hasPrefix("*.") { return DomainText.host(text.dropFirst(2)).map { "*." + $0 } }
        if let address = IPAddress(text) { return address.description }
        return DomainText.host(text[...])
    }

    static func isHost(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || ".-_:[]".utf8.contains(byte)
            }
    }

    static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x23 }
    }

    /// A name and perhaps a version (RFC 9110 section 7.8).
    static func isUpgrade(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, text.utf8.count <= 63, parts.allSatisfy({ isName(String($0)) }) else { return false }
        let name = parts[0].lowercased()
        return !name.hasPrefix("h2") && !name.hasPrefix("h3") && !name.hasPrefix("http") && name != "tls"
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 63 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }

    static func isSubdivision(_ text: Substring) -> Bool {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, isCountry(parts[0]), (1...3).contains(parts[1].utf8.count) else { return false }
        return parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
    }

    static func isCity(_ text: String) -> Bool {
        guard let slash = text.firstIndex(of: "/"), isPrintable(text) else { return false }
        let place = text[..<slash]
        let name = text[slash...].dropFirst()
        return (isCountry(place) || isSubdivision(place)) && !name.isEmpty && name.utf8.count <= 100
    }

    /// 1 ... 4294967295.
    static func network(_ text: String) -> Int? {
        integer(text.hasPrefix("AS") ? String(text.dropFirst(2)) : text, in: 1...Int(UInt32.max))
    }

    private static func isCountry(_ text: Substring) -> Bool {
        text.utf8.count == 2 && text.utf8.allSatisfy { (0x41...0x5a).contains($0) }
    }

    static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first) || first == 0x5f, !(0x30...0x39).contains(first)
        else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5f }
    }

    /// No control characters: they would forge lines of logs and probe requests.
    static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }

    static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}

extension Duration {
    fileprivate static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ]

    /// Reads `500ms`, `1.5s`, `2m`, `1h`, `7d`: a decimal number with at most three fractional digits, and a unit.
    package init?(text: String, in range: ClosedRange<Duration>) {
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let parts = text.dropLast(unit.suffix.count).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, ScalarKind.isDigits(whole), let count = Int64(whole) else { return nil }
        var (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        guard !overflow else { return nil }
        if parts.count == 2 {
            guard ScalarKind.isDigits(parts[1]), parts[1].count <= 3, let fraction = Int64(parts[1]) else { return nil }
            let divisor: Int64 = parts[1].count == 1 ? 10 : parts[1].count == 2 ? 100 : 1_000
            let (sum, overflow) = nanoseconds.addingReportingOverflow(unit.nanoseconds / divisor * fraction)
            guard !overflow else { return nil }
            nanoseconds = sum
        }
        self = .nanoseconds(nanoseconds)
        guard range.contains(self) else { return nil }
    }

    /// The shortest text that reads as this duration (whole milliseconds).
    package var text: String {
        let total = nanoseconds
        if total == 0 { return "0s" }
        let unit = Self.units.last { total % $0.nanoseconds == 0 } ?? Self.units[0]
        return "\(total / unit.nanoseconds)\(unit.suffix)"
    }
}

extension Int {
    /// As a size in octets.
    var sizeText: String {
        let unit = ScalarKind.sizeUnits.reversed().first { self >= $0.factor && self % $0.factor == 0 && $0.factor > 1 }
        return unit.map { "\(self / $0.factor)\($0.suffix)" } ?? "\(self)B"
    }
}

extension Double {
    /// Without a fraction when it has none.
    var short: String { self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)" }
}
