// Frames as JSON on standard input, what lora-packet reads in them or makes of them as JSON on standard output.
const lora = require("lora-packet");
const hex = (text) => Buffer.from(text, "hex");

function readData({ phy, nwk, app, high }) {
  const packet = lora.fromWire(hex(phy));
  return {
    m_type: packet.getMType(),
    dev_addr: packet.DevAddr.toString("hex"),
    f_cnt: packet.getFCnt(),
    f_port: packet.getFPort(),
    f_opts: packet.FOpts.toString("hex"),
    adr: packet.getFCtrlADR(),
    ack: packet.getFCtrlACK(),
    mic_ok: lora.verifyMIC(packet, hex(nwk), undefined, hex(high)),
    payload: lora.decrypt(packet, hex(app), hex(nwk), hex(high)).toString("hex"),
  };
}

function readJoinRequest({ phy, key }) {
  const packet = lora.fromWire(hex(phy));
  return {
    join_eui: packet.AppEUI.toString("hex"),
    dev_eui: packet.DevEUI.toString("hex"),
    dev_nonce: packet.DevNonce.readUInt16BE(0),
    mic_ok: lora.verifyMIC(packet, undefined, hex(key)),
  };
}

function readJoinAccept({ phy, key, dev_nonce }) {
  const packet = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(hex(phy)), hex(key)));
  const nonce = Buffer.alloc(2);
  nonce.writeUInt16BE(dev_nonce, 0);
  const keys = lora.generateSessionKeys10(hex(key), packet.NetID, packet.AppNonce, nonce);
  return {
    dev_addr: packet.DevAddr.toString("hex"),
    app_nonce: packet.AppNonce.toString("hex"),
    rx1_delay_s: packet.RxDelay[0],
    dl_settings: packet.DLSettings[0],
    mic_ok: lora.verifyMIC(packet, undefined, hex(key)),
    nwk: keys.NwkSKey.toString("hex"),
    app: keys.AppSKey.toString("hex"),
  };
}

function writeData({ m_type, dev_addr, f_cnt, f_port, payload, nwk, app, high }) {
  const fields = { MType: m_type, DevAddr: hex(dev_addr), FCnt: f_cnt, FPort: f_port, payload: hex(payload) };
  const packet = lora.fromFields(fields, hex(app), hex(nwk), undefined, hex(high));
  return { phy: packet.PHYPayload.toString("hex") };
}

const ways = { readData, readJoinRequest, readJoinAccept, writeData };
const questions = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(questions.map(({ way, ...rest }) => ways[way](rest))));
