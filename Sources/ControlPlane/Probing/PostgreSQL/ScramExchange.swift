import Crypto
import Foundation

/// A client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), which proves that both sides know the password and shows it to
/// nobody. PostgreSQL takes the user's name from its startup packet, so none is sent here.
struct ScramExchange {
    enum Refusal: Error, CustomStringConvertible {
        case malformed
        case tooMuchWork(Int)
        case wrongSignature
        case late

        var description: String {
            switch self {
            case .malformed: "its SCRAM message is malformed"
            case .tooMuchWork(let count):
                "it wants \(count) rounds of hashing, more than \(ScramExchange.mostRounds): set the password anew with a lower scram_iterations"
            case .wrongSignature: "it does not know the password itself"
            case .late: "login timed out"
            }
        }
    }

    static let mechanism = "SCRAM-SHA-256"
    /// PostgreSQL's default is 4096. The server names the number, and each costs us a microsecond or two.
    static let mostRounds = 100_000

    /// The last password that was hashed for a server: who asks for the same again is answered at once.
    ///
    /// Confined to the task that probes this server.
    final class Memory {
        fileprivate struct Entry {
            let password: String
            let salt: [UInt8]
            let rounds: Int
            let salted: [UInt8]
        }

        fileprivate var last: Entry?
    }

    private let password: String
    private let first: String
    private var expected: [UInt8] = []

    /// `nonce` is random, printable and without commas.
    init(password: String, nonce: String) {
        self.password = Self.prepared(password)
        first = "n=,r=\(nonce)"
    }

    static func randomNonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<18).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString()
    }

    /// What the exchange begins with: no channel is bound, since the server's name is what TLS verifies.
    var opening: [UInt8] { Array("n,,\(first)".utf8) }

    /// The answer to the server's challenge: the proof.
    mutating func answer(
        _ challenge: [UInt8], memory: Memory, until deadline: ContinuousClock.Instant
    ) async throws(Refusal) -> [UInt8] {
        let text = String(decoding: challenge, as: UTF8.self)
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 3, fields[0].hasPrefix("r="), fields[1].hasPrefix("s="), fields[2].hasPrefix("i="),
            let salt = Data(base64Encoded: String(fields[1].dropFirst(2))), !salt.isEmpty,
            let rounds = Int(fields[2].dropFirst(2)), rounds > 0
        else { throw .malformed }
        let own = first.dropFirst(5)
        let nonce = fields[0].dropFirst(2)
        guard nonce.hasPrefix(own), nonce.utf8.count > own.utf8.count else { throw .malformed }
        guard rounds <= Self.mostRounds else { throw .tooMuchWork(rounds) }

        let salted = SymmetricKey(
            data: try await saltedPassword(Array(salt), rounds: rounds, memory: memory, until: deadline))
        let clientKey = Self.code("Client Key", salted)
        let final = "c=biws,r=\(nonce)"
        let signed = "\(first),\(text),\(final)"
        let signature = Self.code(signed, SymmetricKey(data: Array(SHA256.hash(data: clientKey))))
        expected = Self.code(signed, SymmetricKey(data: Self.code("Server Key", salted)))
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        return Array("\(final),p=\(Data(proof).base64EncodedString())".utf8)
    }

    /// Whether the server's last word shows that it knows the password as well.
    func verify(_ word: [UInt8]) throws(Refusal) {
        let text = String(decoding: word, as: UTF8.self)
        guard text.hasPrefix("v=") else { throw .malformed }
        let value = text.dropFirst(2).prefix { $0 != "," }
        guard !expected.isEmpty, let signature = Data(base64Encoded: String(value)),
            ConstantTime.equal(Array(signature), expected)
        else { throw .wrongSignature }
    }

    /// Hi() of RFC 5802 section 2.2. Lets others run now and then, because the server chose how long it takes.
    private func saltedPassword(
        _ salt: [UInt8], rounds: Int, memory: Memory, until deadline: ContinuousClock.Instant
    ) async throws(Refusal) -> [UInt8] {
        if let known = memory.last, known.rounds == rounds, known.salt == salt, known.password == password {
            return known.salted
        }
        let key = SymmetricKey(data: Array(password.utf8))
        var last = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var result = last
        for round in 1..<max(1, rounds) {
            last = Array(HMAC<SHA256>.authenticationCode(for: last, using: key))
            for index in result.indices { result[index] ^= last[index] }
            guard round.isMultiple(of: 1024) else { continue }
            await Task.yield()
            guard ContinuousClock.now < deadline, !Task.isCancelled else { throw .late }
        }
        memory.last = Memory.Entry(password: password, salt: salt, rounds: rounds, salted: result)
        return result
    }

    private static func code(_ text: String, _ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    /// SASLprep (RFC 4013) as far as passwords that people type need it: spaces of other kinds become spaces, compatible
    /// characters one character. ASCII stays as it is.
    private static func prepared(_ password: String) -> String {
        guard !password.utf8.allSatisfy({ $0 < 0x80 }) else { return password }
        var mapped = String.UnicodeScalarView()
        for scalar in password.unicodeScalars {
            switch scalar.value {
            case 0xa0, 0x1680, 0x2000...0x200b, 0x202f, 0x205f, 0x3000: mapped.append(" ")
            case 0xad, 0x34f, 0x1806, 0x180b...0x180d, 0x200c, 0x200d, 0x2060, 0xfe00...0xfe0f, 0xfeff: break
            default: mapped.append(scalar)
            }
        }
        return String(mapped).precomposedStringWithCompatibilityMapping
    }
}

/// The answer to an md5 request: md5(md5(password + user) + salt) in hexadecimal digits. Whoever reads it can guess weak
/// passwords, and the server's copy of the hash is as good as the password: a topology has to allow it.
enum MD5Answer {
    static func text(user: String, password: String, salt: [UInt8]) -> [UInt8] {
        let inner = digits(Array((password + user).utf8))
        return Array("md5".utf8) + digits(inner + salt)
    }

    private static func digits(_ octets: [UInt8]) -> [UInt8] {
        let alphabet = Array("0123456789abcdef".utf8)
        return Insecure.MD5.hash(data: octets).flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }
    }
}
