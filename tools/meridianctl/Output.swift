import ControlPlane
import Glibc
import Model

/// Where a command writes. Results go to standard output, everything about the command itself to standard error.
enum Output {
    case standard
    case diagnostics

    /// What nodes say comes from servers and peers in part: nothing of it reaches the terminal's controls.
    static func write(_ text: String, to output: Output = .standard) {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { shown.append(scalar == "\n" ? scalar : scalar.printable) }
        write(Array(String(shown).utf8), to: output)
    }

    /// As indented JSON, in which control characters of all kinds are escaped.
    static func write(_ value: StatusValue) { write(escaped(value.json(pretty: true)), to: .standard) }

    /// JSON with the characters escaped that JSON itself lets stand: DEL, C1 controls, those that turn text around.
    static func escaped(_ json: [UInt8]) -> [UInt8] {
        if json.allSatisfy({ $0 < 0x7f }) { return json }
        var shown: [UInt8] = []
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            // Blanks and line ends between values are JSON's own.
            if scalar.value < 0x7f || scalar.printable == scalar {
                shown += Array(String(scalar).utf8)
            } else {
                for unit in String(scalar).utf16 {
                    let hex = String(unit, radix: 16)
                    shown += Array("\\u\(String(repeating: "0", count: 4 - hex.count))\(hex)".utf8)
                }
            }
        }
        return shown
    }

    private static func write(_ octets: [UInt8], to output: Output) {
        var bytes = octets[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(output.descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // The reader has gone: `meridianctl status | head`.
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    static func line(_ text: String = "", to output: Output = .standard) { write(text + "\n", to: output) }

    private var descriptor: CInt { self == .standard ? STDOUT_FILENO : STDERR_FILENO }
}
