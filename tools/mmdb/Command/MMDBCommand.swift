import ArgumentParser
import Foundation
import Geo
import MMDBWriter

/// `meridian-mmdb`: makes small MaxMind DB files from a location file, for tests, trials and private networks.
@main
struct MMDBCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian-mmdb",
        abstract: "Make MaxMind DB files from a location file.",
        discussion: "Lines of the file are prefix,continent,country,subdivision,city,latitude,longitude,asn. "
            + "Exit status: 0 written, 1 the file is wrong, 2 wrong usage.")

    @Argument(help: "The location file (dns.locations.csv).")
    var locations: String

    @Option(help: "Where the file of the City kind goes.")
    var city: String?

    @Option(help: "Where the file of the ASN kind goes.")
    var asn: String?

    func validate() throws {
        if city == nil, asn == nil { throw ValidationError("Say where the result goes: --city PATH, --asn PATH.") }
    }

    func run() throws {
        let text = Array(try Data(contentsOf: URL(filePath: locations)))
        let entries: [PlaceFiles.Entry]
        do {
            let (lines, cities) = try LocationTable.entries(csv: text)
            entries = lines.map { line in
                PlaceFiles.Entry(
                    prefix: line.prefix, place: line.place,
                    city: line.place.city == 0 ? nil : cities[Int(line.place.city)])
            }
        } catch {
            for problem in error.problems {
                FileHandle.standardError.write(Data("\(locations):\(problem)\n".utf8))
            }
            throw ExitCode(1)
        }
        for (path, writer) in [(city, PlaceFiles.city(entries)), (asn, PlaceFiles.networks(entries))] {
            guard let path else { continue }
            guard let file = MMDBWriter.RecordSize.allCases.lazy.compactMap({ writer.file($0) }).first else {
                throw ValidationError("\(locations) has more than a MaxMind DB file can hold.")
            }
            try Data(file).write(to: URL(filePath: path), options: .atomic)
        }
    }
}
