import CLinux
import DNSWire
import Engine
import Geo
import Model
import Steering

/// Has the processor fetch what the queries of a batch will read, before the first of them is answered.
///
/// An answer lies behind five reads of which each tells where the next one is, and in a large zone each of them waits for
/// memory. Done for all queries of a batch side by side, the waits of a batch pass together instead of one after another.
@safe
struct LookAhead {
    /// With fewer queries there is nothing to wait for together.
    static let least = 3

    /// For each query, what the next pass goes by: its name's hash, then the address of what was found, or 0.
    private let words: UnsafeMutablePointer<UInt64>
    /// For each query, where its look-up in a map of clients is, or nil.
    private let maps: UnsafeMutablePointer<MapRead?>
    /// For a folded name.
    private let room: UnsafeMutableRawPointer

    /// A look-up in the map of a dynamic name.
    @safe
    private struct MapRead {
        let map: PrefixTable.View
        let client: IPAddress
        let first: UnsafePointer<UInt32>
    }

    init() {
        unsafe maps = .allocate(capacity: DatagramBatch.size)
        unsafe maps.initialize(repeating: nil, count: DatagramBatch.size)
        unsafe words = .allocate(capacity: DatagramBatch.size)
        unsafe words.initialize(repeating: 0, count: DatagramBatch.size)
        unsafe room = .allocate(byteCount: FoldedName.capacity, alignment: 8)
    }

    func deallocate() {
        unsafe maps.deallocate()
        unsafe words.deallocate()
        unsafe room.deallocate()
    }

    /// `count`: queries in `batch`.
    func anticipate(
        _ batch: DatagramBatch, count: Int, zones: ZoneTable.View, dynamics: DynamicTable.View
    ) {
        guard count >= Self.least else { return }
        for index in 0..<count {
            let hash = unsafe hash(batch.query(index))
            unsafe words[index] = hash
            unsafe meridian_prefetch(zones.slots + (Int(truncatingIfNeeded: hash) & zones.mask))
        }
        for index in 0..<count {
            let hash = unsafe words[index]
            let entry = unsafe zones.slots[Int(truncatingIfNeeded: hash) & zones.mask]
            // Names behind a collision are not worth a search.
            let node = entry ^ hash <= ZoneTable.addressMask ? entry & ZoneTable.addressMask : 0
            unsafe words[index] = node
            if node != 0 { unsafe meridian_prefetch(UnsafeRawPointer(bitPattern: UInt(node))) }
        }
        var hasMaps = false
        unsafe pass(count, from: FlatNode.self) { index, node in
            unsafe meridian_prefetch(node.octetsAhead(node.pointee.name))
            if unsafe node.pointee.dynamic != FlatNode.none {
                // What it answers depends on the client.
                unsafe maps[index] = mapRead(batch, index, dynamics.names + Int(node.pointee.dynamic))
                hasMaps = true
                return nil
            }
            return unsafe UnsafeRawPointer(node.ahead(node.pointee.entries, as: FlatEntry.self))
        }
        if hasMaps {
            for index in 0..<count {
                guard let read = unsafe maps[index] else { continue }
                unsafe maps[index] = nil
                unsafe meridian_prefetch(read.map.secondRead(of: read.client, behind: read.first))
            }
        }
        unsafe pass(count, from: FlatEntry.self) { _, entry in
            unsafe UnsafeRawPointer(entry.ahead(entry.pointee.answer, as: FlatAnswer.self))
        }
        unsafe pass(count, from: FlatAnswer.self) { _, answer in
            unsafe meridian_prefetch(answer.octetsAhead(answer.pointee.pointers))
            return unsafe answer.octetsAhead(answer.pointee.octets)
        }
    }

    /// Goes from what each query led to so far to what lies behind it.
    @inline(__always)
    @unsafe
    private func pass<Found>(
        _ count: Int, from type: Found.Type, _ next: (Int, UnsafeMutablePointer<Found>) -> UnsafeRawPointer?
    ) {
        for index in 0..<count {
            guard let found = unsafe UnsafeMutablePointer<Found>(bitPattern: UInt(words[index])) else { continue }
            let target = unsafe next(index, found)
            unsafe words[index] = UInt64(UInt(bitPattern: target))
            unsafe meridian_prefetch(target)
        }
    }

    /// The hash of the name that `query` asks for; anything when it is not sound, which is found out later.
    @inline(__always)
    private func hash(_ query: UnsafeRawBufferPointer?) -> UInt64 {
        guard let query = unsafe query, let start = query.baseAddress else { return 0 }
        var position = messageHeaderSize
        while true {
            guard position < query.count else { return 0 }
            let length = unsafe Int(start.load(fromByteOffset: position, as: UInt8.self))
            position &+= length &+ 1
            if length == 0 { break }
        }
        let length = position &- messageHeaderSize
        guard length <= Name.maximumLength else { return 0 }
        return unsafe FoldedName.copy(
            start + messageHeaderSize, length: length, readable: query.count &- messageHeaderSize, to: room)
    }

    /// Fetches the first thing that the look-up of query `index`'s client will read.
    @inline(__always)
    private func mapRead(_ batch: DatagramBatch, _ index: Int, _ name: UnsafeMutablePointer<FlatDynamic>) -> MapRead? {
        guard unsafe name.pointee.isUniform == 0, let query = unsafe batch.query(index) else { return nil }
        let map = unsafe Unmanaged<SteeringPlan>.fromOpaque(name.pointee.plan)._withUnsafeGuaranteedRef { $0.map }
        let client = unsafe (ClientSubnet.glimpse(query.bytes)?.address ?? batch.sender(index).address).canonical
        let first = unsafe map.firstRead(of: client)
        unsafe meridian_prefetch(first)
        return unsafe MapRead(map: map, client: client, first: first)
    }
}
