import DNSWire
import Synchronization

/// The compiled zones of a server with the files that each was made of, so that a reload reads only what was written
/// since, and a zone that cannot be read anew stays as it is.
package final class ZoneLibrary: Sendable {
    /// A zone as it was compiled last.
    struct Volume: Sendable {
        let path: String
        /// Of the zone's file and every file that it includes.
        let stamps: [String: FileStamp]
        /// Origins of other zones within this one.
        let inner: Set<Name>
        let dynamicNames: Set<Name>
        let segment: ZoneSegment
        /// The answer of a name that exists without a record of the type.
        let noData: ComposedAnswer
        /// Why the files as they are now are not used; nil while they are.
        var trouble: String?
    }

    /// A zone that a preparation has opened and not compiled yet.
    struct Opened {
        let origin: Name
        let noData: ComposedAnswer
        fileprivate let path: String
        fileprivate let stamps: [String: FileStamp]
        fileprivate let inner: Set<Name>
        fileprivate let dynamicNames: Set<Name>
        /// What its files say; nil when the old volume goes on.
        fileprivate let zone: Zone?
        fileprivate let old: Volume?
        fileprivate let errors: [MasterFileError]
    }

    private let volumes = Mutex<[Name: Volume]>([:])

    package init() {}

    /// Opens the zone whose master file is at `path`. Without a usable zone, the errors alone.
    ///
    /// `inner`: origins of this server's zones within this one.
    func open(
        _ path: String, origin: Name, dynamicNames: Set<Name>, inner: [Name]
    ) -> (zone: Opened?, errors: [MasterFileError]) {
        let old = volumes.withLock { $0[origin] }
        let inner = Set(inner)
        let isAlike = old.map { $0.path == path && $0.inner == inner && $0.dynamicNames == dynamicNames } ?? false
        if let old, isAlike, old.trouble == nil, old.isCurrent {
            let kept = Opened(
                origin: origin, noData: old.noData, path: path, stamps: old.stamps, inner: inner,
                dynamicNames: dynamicNames, zone: nil, old: old, errors: [])
            return (kept, [])
        }
        var stamps: [String: FileStamp] = [:]
        var errors = [
            MasterFileError(
                file: path, line: 1, column: 1,
                message: "the zone file of \(origin) cannot be read\(FileStamp.trouble(path))")
        ]
        if let (text, stamp) = FileStamp.read(path) {
            stamps[path] = stamp
            let loaded = ZoneLoader.load(
                MasterFile.Source(file: path, text: text), origin: origin, dynamicNames: dynamicNames
            ) { name, includer in
                let path = Self.path(of: name, includedBy: includer)
                guard let (text, stamp) = FileStamp.read(path) else { return nil }
                stamps[path] = stamp
                return MasterFile.Source(file: path, text: text)
            }
            errors = loaded.errors
            if var zone = loaded.zone {
                for origin in inner { zone.yield(to: origin) }
                let opened = Opened(
                    origin: origin, noData: AnswerComposer(zone: zone).negative(.noError), path: path, stamps: stamps,
                    inner: inner, dynamicNames: dynamicNames, zone: zone, old: nil, errors: [])
                return (opened, [])
            }
        }
        // What is served goes on, unless the topology now wants something else of the zone.
        guard let old, isAlike else { return (nil, errors) }
        let kept = Opened(
            origin: origin, noData: old.noData, path: path, stamps: old.stamps, inner: inner,
            dynamicNames: dynamicNames, zone: nil, old: old, errors: errors)
        return (kept, [])
    }

    /// Compiles what was opened. Errors when an old zone has to go on and cannot, because its dynamic names answer other
    /// types now.
    ///
    /// `dynamics`: the zone's dynamic names.
    func compile(
        _ opened: Opened, dynamics: [Name: DynamicSlots]
    ) -> (volume: Volume?, errors: [MasterFileError]) {
        var segment = opened.old?.segment.renumbered(dynamics)
        if segment == nil, var zone = opened.zone ?? reread(opened) {
            if opened.zone == nil { for origin in opened.inner { zone.yield(to: origin) } }
            segment = ZoneCompiler.compile(zone, dynamics: dynamics)
        }
        guard let segment else { return (nil, opened.errors) }
        let trouble = opened.errors.isEmpty ? nil : opened.errors.map(\.description).joined(separator: "; ")
        let volume = Volume(
            path: opened.path, stamps: opened.stamps, inner: opened.inner, dynamicNames: opened.dynamicNames,
            segment: segment, noData: opened.noData, trouble: trouble)
        return (volume, [])
    }

    /// The zone of unchanged files, when its segment will not do.
    private func reread(_ opened: Opened) -> Zone? {
        guard opened.errors.isEmpty, let (text, _) = FileStamp.read(opened.path) else { return nil }
        return ZoneLoader.load(
            MasterFile.Source(file: opened.path, text: text), origin: opened.origin, dynamicNames: opened.dynamicNames
        ) { name, includer in
            let path = Self.path(of: name, includedBy: includer)
            return FileStamp.read(path).map { MasterFile.Source(file: path, text: $0.octets) }
        }.zone
    }

    /// Keeps `volumes` and forgets all others.
    func keep(_ volumes: [Name: Volume]) { self.volumes.withLock { $0 = volumes } }

    private static func path(of name: String, includedBy includer: String) -> String {
        guard !name.hasPrefix("/"), let slash = includer.lastIndex(of: "/") else { return name }
        return includer[...slash] + name
    }
}

extension ZoneLibrary.Volume {
    /// Whether no file of the zone was written since.
    var isCurrent: Bool { stamps.allSatisfy { FileStamp(path: $0.key) == $0.value } }
}
