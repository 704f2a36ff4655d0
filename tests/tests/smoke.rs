//! temp
use ssm_std::open_path;
use sha2::{Digest, Sha256};
#[test]
fn all() {
    let dir = "../../shared/golden/good/";
    let m: serde_json::Value = serde_json::from_slice(&std::fs::read(format!("{dir}manifest.json")).unwrap()).unwrap();
    let mut n = 0;
    for f in m["files"].as_array().unwrap() {
        let name = f["file"].as_str().unwrap();
        if name.starts_with("v20") { continue; }
        let mut a = open_path(format!("{dir}{name}")).unwrap();
        let mut units = a.units();
        for u in f["units"].as_array().unwrap() {
            let mut unit = units.next().unwrap().unwrap();
            assert_eq!(unit.name(), u["name"].as_str().unwrap().as_bytes());
            let bytes = unit.read(|g| { let mut v = vec![0; u["payload_length"].as_u64().unwrap() as usize]; g.bytes(&mut v)?; assert_eq!(g.skip_rest()?, 0); Ok(v) }).unwrap();
            let h: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(h, u["payload_sha256"].as_str().unwrap(), "{name}");
            n += 1;
        }
        assert!(units.next().unwrap().is_none());
    }
    let dir = "../../shared/golden/bad/";
    let m: serde_json::Value = serde_json::from_slice(&std::fs::read(format!("{dir}manifest.json")).unwrap()).unwrap();
    for f in m.as_array().cloned().unwrap_or_else(|| m["files"].as_array().unwrap().clone()) {
        let name = f["file"].as_str().unwrap();
        if name.starts_with("v20") { continue; }
        let r = open_path(format!("{dir}{name}")).map_err(|e| e.to_string()).and_then(|mut a| a.verify(&mut |_| ()).map_err(|e| format!("{} {e}", e.kind())));
        println!("{name} {} {:?}", f["verify"], r);
    }
    println!("{n}");
}
