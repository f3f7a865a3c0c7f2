/// The data of a LOC record (RFC 1876): a place on earth and how precisely it is known.
struct GeographicPosition: Hashable, CustomStringConvertible {
    /// Thousandths of a second of arc from the equator and the prime meridian, north and east positive.
    private var latitude: Int
    private var longitude: Int
    /// Centimetres above 100,000 m below the reference spheroid: 0 ... 2^32 - 1.
    private var altitude: Int
    /// Size, horizontal and vertical precision as they stand on the wire: a digit and a power of ten, of centimetres.
    private var precisions: [UInt8]

    /// Altitudes are counted from so many centimetres below the spheroid.
    private static let depth = 10_000_000
    /// Size 1 m, horizontal precision 10 km, vertical 10 m (section 3).
    private static let usualPrecisions: [UInt8] = [0x12, 0x16, 0x13]

    /// Reads 16 octets; nil when they name no place or are of another version.
    init?(_ wire: ArraySlice<UInt8>) {
        guard wire.count >= 16, wire[wire.startIndex] == 0 else { return nil }
        func long(_ offset: Int) -> Int {
            wire[(wire.startIndex + offset)...].prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        precisions = Array(wire.dropFirst().prefix(3))
        latitude = long(4) - 1 << 31
        longitude = long(8) - 1 << 31
        altitude = long(12)
        guard precisions.allSatisfy({ $0 >> 4 <= 9 && $0 & 15 <= 9 && ($0 >> 4 > 0 || $0 == 0) }),
            abs(latitude) <= 90 * 3_600_000,
            abs(longitude) <= 180 * 3_600_000
        else { return nil }
    }

    /// Reads `D [M [S]] N|S D [M [S]] E|W ALTITUDE[m] [SIZE[m] [HORIZONTAL[m] [VERTICAL[m]]]]`; nil when it is none.
    init?(words: [String]) {
        var rest = words[...]
        guard let latitude = Self.angle(&rest, limit: 90, positive: "N", negative: "S"),
            let longitude = Self.angle(&rest, limit: 180, positive: "E", negative: "W"),
            let metres = rest.popFirst(), let height = Self.centimetres(metres),
            (0...Int(UInt32.max)).contains(height + Self.depth), rest.count <= 3
        else { return nil }
        self.latitude = latitude
        self.longitude = longitude
        altitude = height + Self.depth
        precisions = Self.usualPrecisions
        for (index, word) in rest.enumerated() {
            guard let size = Self.centimetres(word), (0...9_000_000_000).contains(size) else { return nil }
            var power = 0
            var digit = size
            // What has more than one digit is cut down to its first, as the record cannot hold more.
            while digit > 9 {
                digit /= 10
                power += 1
            }
            precisions[index] = UInt8(digit << 4 | power)
        }
    }

    private static func angle(
        _ rest: inout ArraySlice<String>, limit: Int, positive: String, negative: String
    ) -> Int? {
        var total = 0
        for unit in [3_600_000, 60_000, 1000] {
            guard let word = rest.popFirst() else { return nil }
            if unit < 3_600_000, word.uppercased() == positive || word.uppercased() == negative {
                return total <= limit * 3_600_000 ? (word.uppercased() == positive ? total : -total) : nil
            }
            guard let number = decimal(word, places: unit == 1000 ? 3 : 0),
                unit == 3_600_000 ? number <= limit : unit == 60_000 ? number < 60 : number < 60_000
            else { return nil }
            total += unit == 1000 ? number : number * unit
        }
        guard let word = rest.popFirst()?.uppercased(), word == positive || word == negative,
            total <= limit * 3_600_000
        else { return nil }
        return word == positive ? total : -total
    }

    /// `-24m`, `30`, `10.25m` in centimetres.
    private static func centimetres(_ word: String) -> Int? {
        let isNegative = word.hasPrefix("-")
        var digits = isNegative ? word.dropFirst() : word[...]
        if digits.hasSuffix("m") || digits.hasSuffix("M") { digits = digits.dropLast() }
        return decimal(String(digits), places: 2).map { isNegative ? -$0 : $0 }
    }

    /// A decimal number with at most so many places, times ten to their number.
    private static func decimal(_ word: String, places: Int) -> Int? {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = MasterNumber.decimal(Array(parts[0].utf8)[...]) else { return nil }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        guard parts.count == 1 || !fraction.isEmpty, fraction.utf8.count <= places else { return nil }
        while fraction.utf8.count < places { fraction += "0" }
        guard places > 0 else { return Int(whole) }
        guard let part = MasterNumber.decimal(Array(fraction.utf8)[...]) else { return nil }
        return (0..<places).reduce(Int(whole)) { number, _ in number * 10 } + Int(part)
    }

    var wire: [UInt8] {
        [0] + precisions
            + [latitude + 1 << 31, longitude + 1 << 31, altitude].flatMap { number in
                stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
            }
    }

    var description: String {
        func padded(_ number: Int, _ digits: Int) -> String {
            String(repeating: "0", count: max(0, digits - String(number).utf8.count)) + String(number)
        }
        func angle(_ value: Int, _ positive: String, _ negative: String) -> String {
            let total = abs(value)
            return "\(total / 3_600_000) \(total / 60_000 % 60) \(total / 1000 % 60).\(padded(total % 1000, 3)) "
                + (value < 0 ? negative : positive)
        }
        func metres(_ centimetres: Int) -> String {
            let size = abs(centimetres)
            return "\(centimetres < 0 ? "-" : "")\(size / 100).\(padded(size % 100, 2))m"
        }
        let sizes = precisions.map { octet in
            metres((0..<Int(octet & 15)).reduce(Int(octet >> 4)) { size, _ in size * 10 })
        }
        return
            ([angle(latitude, "N", "S"), angle(longitude, "E", "W"), metres(altitude - Self.depth)] + sizes)
            .joined(separator: " ")
    }
}
